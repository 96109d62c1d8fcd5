import { type Address, type Transaction, type Verified, decodeTransaction, formatAddress } from "@dureledger/dure";

/** A movement of money, or the attempt of one, that concerns the wallet's account. */
export interface Payment {
  /** Of the transaction, 64 hex digits. */
  readonly id: string;
  readonly incoming: boolean;
  readonly asset: string;
  /** Smallest units. */
  readonly amount: string;
  /** Empty when units were issued to the account or redeemed by it. */
  readonly other: Address | "";
  readonly memo: string;
  /** Unix milliseconds of the block. */
  readonly time: number;
  /** The code and text of the ledger's no. */
  readonly refused?: { readonly code: string; readonly message: string };
}

interface Moved {
  from: string;
  to: string;
  asset: string;
  amount: string;
}

/** paymentsOf are the payments of an account in a transaction, as a node shows it. */
export function paymentsOf(t: Transaction, me: Address): Payment[] {
  const outcome = t.outcome;
  if (!outcome) return [];
  const text = (v: unknown) => (typeof v === "string" ? v : "");
  const moved = (fields: Record<string, unknown>): Moved => ({
    from: text(fields["from"]), to: text(fields["to"]), asset: text(fields["asset"]), amount: text(fields["amount"]),
  });
  const memo = (action: number) => text(t.actions[action]?.arguments?.["memo"]);
  const base = { id: t.id, time: Date.parse(outcome.time) };
  if (outcome.status === "ok") {
    return outcome.events.filter((e) => e.name === "asset.moved").flatMap((e) => paymentOf({ ...base, memo: memo(e.action) }, moved(e.fields ?? {}), me));
  }
  const refused = { code: outcome.code, message: outcome.message };
  return t.actions.flatMap((a, i) =>
    a.call === "asset.transfer" ? paymentOf({ ...base, memo: memo(i), refused }, moved({ ...a.arguments, from: a.actor }), me) : [],
  );
}

/** provenPayments are the same, as a receipt that holds has them. A receipt without its transaction has no memos, and no refused payments. */
export function provenPayments(v: Verified, me: Address): Payment[] {
  const actions = v.transaction.length > 0 ? decodeTransaction(v.transaction).actions : [];
  const address = (b: Uint8Array) => (b.length > 0 ? formatAddress(b) : "");
  const memo = (action: number) => {
    const call = actions[action]?.call;
    return call?.case === "assetTransfer" || call?.case === "assetIssue" || call?.case === "assetRedeem" ? call.value.memo : "";
  };
  const base = { id: v.id, time: v.executed.getTime() };
  if (v.ok) {
    return v.outcome.events.flatMap((e) => {
      if (e.kind.case !== "assetMoved") return [];
      const { from, to, asset, amount } = e.kind.value;
      return paymentOf({ ...base, memo: memo(e.action) }, { from: address(from), to: address(to), asset, amount }, me);
    });
  }
  const refused = { code: v.outcome.refusal?.code ?? "", message: v.outcome.refusal?.message ?? "" };
  return actions.flatMap((a, i) => {
    if (a.call.case !== "assetTransfer") return [];
    const { to, asset, amount } = a.call.value;
    return paymentOf({ ...base, memo: memo(i), refused }, { from: address(a.actor), to: address(to), asset, amount }, me);
  });
}

function paymentOf(base: Pick<Payment, "id" | "time" | "memo" | "refused">, m: Moved, me: Address): Payment[] {
  if (m.from !== me && m.to !== me) return [];
  const incoming = m.to === me;
  return [{ ...base, incoming, asset: m.asset, amount: m.amount, other: (incoming ? m.from : m.to) as Address | "" }];
}

/** same says whether what a node showed is what a receipt proves. */
export function same(shown: readonly Payment[], proven: readonly Payment[]): boolean {
  const facts = (p: Payment) => [p.id, p.incoming, p.asset, p.amount, p.other, p.memo, p.time, p.refused?.code ?? ""].join("\n");
  return shown.length === proven.length && shown.every((p, i) => facts(p) === facts(proven[i]!));
}

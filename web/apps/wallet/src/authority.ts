import {
  type AccountEvent, type AccountProposal, type Action, type Address, type Body, type Rule, decodeTransaction, formatAddress, fromBase64url, keyAddress, parseAddress,
  ruleOf, toBase64url, type Account, type PublicKey,
} from "@dureledger/dure";

/** sinceWhen is from when on keys have acted for an account, by what was done to it, the newest first. */
export function sinceWhen(account: Address, events: readonly AccountEvent[]): Map<string, number> {
  let since = new Map<string, number>();
  for (const { event, time } of [...events].reverse()) {
    const fields = (event?.fields ?? {}) as { key?: string; rule?: { keys?: { key: string }[] } };
    const keys = { "account.opened": [account as string], "account.key_rotated": [fields.key ?? ""], "account.recovered": [fields.key ?? ""],
      "account.rule_set": (fields.rule?.keys ?? []).map((k) => k.key) }[event?.name ?? ""];
    if (keys) since = new Map(keys.map((key) => [key, since.get(key) ?? Date.parse(time)]));
  }
  return since;
}

/** What somebody asks this wallet to sign. */
export type Request =
  | { readonly kind: "recover"; readonly raw: Uint8Array; readonly account: Address; readonly key: Address; readonly keyKind: PublicKey["kind"] }
  | { readonly kind: "join"; readonly raw: Uint8Array; readonly key: Address };

/** What is in a link or QR code before the request itself. */
const mark = "#help/";

/** The longest text that is read as one, in characters; the ledger takes no larger transaction of one action. */
const longest = 64 << 10;

/** requestLink is a request as a text that a phone's camera opens. */
export const requestLink = (origin: string, raw: Uint8Array): string => `${origin}/wallet/${mark}${toBase64url(raw)}`;

/** requestBytes is the transaction in a link of requestLink, or in what follows the mark; undefined if there is none. */
export function requestBytes(text: string): Uint8Array | undefined {
  if (text.length > longest) return undefined;
  const at = text.indexOf(mark);
  return fromBase64url((at < 0 ? text : text.slice(at + mark.length)).trim());
}

/**
 * readRequest says what a request asks of an account, so that nothing is signed that is not shown: to begin a recovery of another
 * account, or to add exactly one key to its own. Otherwise why not: it is for another account, too old, or anything else.
 */
export function readRequest(raw: Uint8Array, me: Account, now: number): Request | { readonly no: "other"; readonly account: Address } | { readonly no: "expired" | "strange" } {
  let body: Body;
  try {
    body = decodeTransaction(raw);
  } catch {
    return { no: "strange" };
  }
  const [action, ...more] = body.actions;
  if (!action || more.length > 0 || body.once.length !== 32) return { no: "strange" };
  const { call } = action;
  if (call.case !== "accountRecover" && call.case !== "accountSetRule") return { no: "strange" };
  const actor = formatAddress(action.actor);
  if (actor !== me.address) return { no: "other", account: actor };
  if (Number(body.notAfter) < now) return { no: "expired" };
  if (call.case === "accountRecover") {
    const key = { kind: call.value.kind, bytes: new Uint8Array(call.value.publicKey) };
    return { kind: "recover", raw, account: formatAddress(call.value.account), key: keyAddress(key), keyKind: key.kind };
  }
  const key = addedKey(action, me);
  return key ? { kind: "join", raw, key } : { no: "strange" };
}

/** addedKey is the one key that a new rule has more than the account has now, if nothing else is different. */
function addedKey({ call }: Action, me: Account): Address | undefined {
  const rule = call.case === "accountSetRule" ? call.value.rule : undefined;
  const last = rule?.keys.at(-1);
  if (!rule || !last) return undefined;
  const key = formatAddress(last.key);
  const asked: Rule = {
    keys: rule.keys.map((k) => ({ key: formatAddress(k.key), weight: k.weight })), spend: rule.spend, manage: rule.manage, other: rule.other,
    limits: rule.limits.map(({ asset, perTransaction, perWindow, windowMs, waitOver }) => ({ asset, perTransaction, perWindow, windowMs, waitOver })),
    receivers: rule.receivers.map(formatAddress), waitMs: rule.waitMs, manageWaits: rule.manageWaits,
  };
  return sameRule(asked, withKey(ruleOf(me), key)) ? key : undefined;
}

/** withKey is a rule with one key more, of weight 1. */
export const withKey = (rule: Rule, key: Address): Rule => ({ ...rule, keys: [...rule.keys, { key, weight: 1 }] });

function sameRule(a: Rule, b: Rule): boolean {
  const facts = (r: Rule) =>
    JSON.stringify([
      r.keys.map((k) => [k.key, k.weight]), r.spend, r.manage, r.other, (r.limits ?? []).map((l) => [l.asset, l.perTransaction, l.perWindow, String(l.windowMs), l.waitOver]),
      r.receivers ?? [], String(r.waitMs ?? 0n), r.manageWaits ?? false,
    ]);
  return facts(a) === facts(b);
}

/** tidyAddress is an address as people see it; undefined if a text is none. */
export function tidyAddress(text: string): Address | undefined {
  try {
    return formatAddress(parseAddress(text.trim()));
  } catch {
    return undefined;
  }
}

/** toApprove are the proposals that a key of the account may yet approve. */
export const toApprove = (proposals: readonly AccountProposal[], key: string | undefined): AccountProposal[] =>
  proposals.filter((p) => p.state === "open" && !p.approvals.includes(key ?? ""));

/** Milliseconds of an hour and a day. */
export const hour = 3600_000;
export const day = 24 * hour;

/** waitingTimes are the times to object that people choose from: one hour to 30 days, as the ledger allows. */
export const waitingTimes = [hour, 6 * hour, day, 3 * day, 7 * day, 14 * day, 30 * day] as const;

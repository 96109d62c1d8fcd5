import { type FormEvent, useEffect, useState } from "react";

import { type Address, Refusal, Undecided, formatAddress, formatUnits, parseAddress, parseUnits } from "@dureledger/dure";

import { Scan } from "./scan.js";
import { type TextKey, sayRefusal } from "./texts.js";
import { Card, Fact, Facts, Notice, amount, primary, secondary } from "./ui.js";
import type { View, Wallet } from "./wallet.js";
import { useWords } from "./words.js";

/** What is to be paid, once the form is in order. */
interface Order {
  asset: string;
  to: Address;
  amount: string;
  memo: string;
}

/** The ledger's limit, in bytes. */
const maxMemo = 256;

/** Paying somebody: a form, a last look, and the signature. */
export function Pay({ view, wallet }: { view: View; wallet: Wallet }) {
  const { t, lang } = useWords();
  const [form, setForm] = useState({ to: "", asset: "", amount: "", memo: "" });
  const [order, setOrder] = useState<Order>();
  const [trouble, setTrouble] = useState<string>();
  const [busy, setBusy] = useState(false);
  useStay(busy);
  const pay = async (o: Order) => {
    setBusy(true);
    setTrouble(undefined);
    try {
      location.hash = `payment/${await wallet.pay(o)}`;
    } catch (err) {
      if (err instanceof Undecided) setTrouble(t("pay.undecided"));
      else if (err instanceof Refusal) setTrouble(`${t("pay.failed")} ${sayRefusal(lang, err.code, err.message)}`);
      else if (err instanceof DOMException) setTrouble(t("pay.declined"));
      else setTrouble(`${t("pay.failed")} ${t("trouble.node")}`);
    } finally {
      setBusy(false);
    }
  };
  if (view.balances.every((b) => b.amount === "0")) return <p>{t("pay.nothing")}</p>;
  return (
    <>
      {trouble && <Notice kind="bad">{trouble}</Notice>}
      {order ? (
        <Card>
          <h2 className="mb-3 text-lg font-semibold">{t("pay.confirm")}</h2>
          <p className="mb-3 text-3xl font-bold tabular-nums">{amount(order.amount, order.asset, view.assets)}</p>
          <Facts>
            <Fact name="pay.to"><span className="break-all font-mono">{order.to}</span></Fact>
            {order.memo && <Fact name="payment.memo">{order.memo}</Fact>}
          </Facts>
          <div className="mt-4 grid gap-3">
            <button type="button" className={primary} disabled={busy} autoFocus onClick={() => void pay(order)}>{t("pay.send")}</button>
            <button type="button" className={secondary} disabled={busy} onClick={() => setOrder(undefined)}>{t("pay.change")}</button>
          </div>
          <p role="status" className="mt-2 min-h-6 text-soft">{busy ? t("pay.sending") : ""}</p>
        </Card>
      ) : (
        <OrderForm view={view} wallet={wallet} form={form} setForm={setForm} done={(o) => { setTrouble(undefined); setOrder(o); }} />
      )}
    </>
  );
}

type Form = { to: string; asset: string; amount: string; memo: string };
type Field = keyof Form;

function OrderForm({ view, wallet, form, setForm, done }: { view: View; wallet: Wallet; form: Form; setForm: (f: Form) => void; done: (o: Order) => void }) {
  const { t } = useWords();
  const [wrong, setWrong] = useState<{ field: Field; text: string }>();
  const [scanning, setScanning] = useState(false);
  const [noCamera, setNoCamera] = useState(false);
  const assets = view.balances.filter((b) => b.amount !== "0");
  const asset = form.asset || assets[0]?.asset || "";
  const balance = assets.find((b) => b.asset === asset);
  const decimals = balance?.decimals ?? 0;
  const put = (field: Field) => (value: string) => {
    setForm({ ...form, [field]: value });
    if (wrong?.field === field) setWrong(undefined);
  };
  const submit = async (e: FormEvent) => {
    e.preventDefault();
    const found = await check({ ...form, asset }, decimals, BigInt(balance?.amount ?? "0"), view, wallet);
    if ("key" in found) {
      setWrong({ field: found.field, text: t(found.key, String(decimals)) });
      document.getElementById(found.field)?.focus();
    } else {
      done(found);
    }
  };
  const input = (field: Field, label: TextKey, more: React.InputHTMLAttributes<HTMLInputElement>) => (
    <div className="mb-4">
      <label htmlFor={field} className="mb-1 block font-semibold">{t(label)}</label>
      <input
        id={field} value={form[field]} onChange={(e) => put(field)(e.target.value)} autoComplete="off" spellCheck={false}
        aria-invalid={wrong?.field === field} aria-describedby={wrong?.field === field ? `${field}-wrong` : undefined}
        className="min-h-12 w-full rounded-lg border border-edge bg-card px-3 text-base" {...more}
      />
      {wrong?.field === field && <p id={`${field}-wrong`} role="alert" className="mt-1 text-bad">{wrong.text}</p>}
    </div>
  );
  return (
    <form onSubmit={(e) => void submit(e)} noValidate>
      {input("to", "pay.to", { required: true, className: "min-h-12 w-full rounded-lg border border-edge bg-card px-3 font-mono text-base" })}
      <div className="mb-4">
        <button type="button" className={secondary} aria-expanded={scanning} onClick={() => { setNoCamera(false); setScanning(!scanning); }}>
          {t(scanning ? "pay.scan.stop" : "pay.scan")}
        </button>
        {scanning && (
          <Scan
            found={(text) => { setScanning(false); put("to")(text.trim()); document.getElementById("amount")?.focus(); }}
            failed={() => { setScanning(false); setNoCamera(true); }}
          />
        )}
        {noCamera && <p role="alert" className="mt-1 text-bad">{t("pay.scan.none")}</p>}
      </div>
      <div className="mb-4">
        <label htmlFor="asset" className="mb-1 block font-semibold">{t("pay.asset")}</label>
        <select id="asset" value={asset} onChange={(e) => put("asset")(e.target.value)} className="min-h-12 w-full rounded-lg border border-edge bg-card px-3 text-base">
          {assets.map((b) => <option key={b.asset} value={b.asset}>{view.assets.get(b.asset)?.name ?? b.asset} — {formatUnits(b.amount, b.decimals)}</option>)}
        </select>
      </div>
      {input("amount", "pay.amount", { required: true, inputMode: "decimal" })}
      {input("memo", "pay.memo", {})}
      <button className={primary}>{t("pay.check")}</button>
    </form>
  );
}

/** check is the order of a form, or the text that says what is wrong in which field. */
async function check(form: Form, decimals: number, balance: bigint, view: View, wallet: Wallet): Promise<Order | { field: Field; key: TextKey }> {
  let to: Address;
  let units: string;
  try {
    to = formatAddress(parseAddress(form.to.trim()));
  } catch {
    return { field: "to", key: "pay.bad.address" };
  }
  if (to === view.address) return { field: "to", key: "pay.bad.self" };
  try {
    units = parseUnits(form.amount, decimals);
  } catch {
    return { field: "amount", key: "pay.bad.amount" };
  }
  if (units === "0") return { field: "amount", key: "pay.bad.amount" };
  if (BigInt(units) > balance) return { field: "amount", key: "pay.bad.more" };
  const memo = form.memo.trim();
  if (new TextEncoder().encode(memo).length > maxMemo) return { field: "memo", key: "pay.bad.memo" };
  if (!(await wallet.has(to).catch(() => true))) return { field: "to", key: "pay.bad.unknown" };
  return { asset: form.asset, to, amount: units, memo };
}

/** useStay has the browser ask before the page is left. */
function useStay(busy: boolean): void {
  useEffect(() => {
    if (!busy) return;
    const ask = (e: BeforeUnloadEvent) => e.preventDefault();
    addEventListener("beforeunload", ask);
    return () => removeEventListener("beforeunload", ask);
  }, [busy]);
}

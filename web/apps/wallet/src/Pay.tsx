import { type FormEvent, useState } from "react";

import { type Address, formatUnits, parseUnits } from "@dureledger/dure";

import { tidyAddress } from "./authority.js";
import { Confirm, Trouble, useDeed } from "./deed.js";
import { Choice, Field as Input, ScanButton } from "./field.js";
import type { TextKey } from "./texts.js";
import { Fact, Facts, amount, primary } from "./ui.js";
import type { View } from "./view.js";
import type { Wallet } from "./wallet.js";
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
  const { t } = useWords();
  const [form, setForm] = useState({ to: "", asset: "", amount: "", memo: "" });
  const [order, setOrder] = useState<Order>();
  const deed = useDeed({ failed: "pay.failed", undecided: "pay.undecided", declined: "pay.declined" });
  const pay = (o: Order) =>
    deed.run(async () => {
      const { id, waits } = await wallet.pay(o, o.memo);
      location.hash = waits ? "proposals" : `payment/${id}`;
    });
  if (view.balances.every((b) => b.amount === "0")) return <p>{t("pay.nothing")}</p>;
  return (
    <>
      <Trouble deed={deed} />
      {order ? (
        <Confirm title="pay.confirm" yes="pay.send" no="pay.change" working="pay.sending" deed={deed} act={() => void pay(order)} back={() => setOrder(undefined)}>
          <p className="mb-3 text-3xl font-bold tabular-nums">{amount(order.amount, order.asset, view.assets)}</p>
          <Facts>
            <Fact name="pay.to"><span className="break-all font-mono">{order.to}</span></Fact>
            {order.memo && <Fact name="payment.memo">{order.memo}</Fact>}
          </Facts>
        </Confirm>
      ) : (
        <OrderForm view={view} wallet={wallet} form={form} setForm={setForm} done={(o) => { deed.clear(); setOrder(o); }} />
      )}
    </>
  );
}

type Form = { to: string; asset: string; amount: string; memo: string };
type Field = keyof Form;

function OrderForm({ view, wallet, form, setForm, done }: { view: View; wallet: Wallet; form: Form; setForm: (f: Form) => void; done: (o: Order) => void }) {
  const { t } = useWords();
  const [wrong, setWrong] = useState<{ field: Field; text: string }>();
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
    <Input id={field} label={label} value={form[field]} put={put(field)} wrong={wrong?.field === field ? wrong.text : undefined} mono={field === "to"} more={more} />
  );
  return (
    <form onSubmit={(e) => void submit(e)} noValidate>
      {input("to", "pay.to", { required: true })}
      <ScanButton found={(text) => { put("to")(text); document.getElementById("amount")?.focus(); }} />
      <Choice
        id="asset" label="pay.asset" value={asset} put={put("asset")}
        options={assets.map((b) => ({ value: b.asset, text: `${view.assets.get(b.asset)?.name ?? b.asset} — ${formatUnits(b.amount, b.decimals)}` }))}
      />
      {input("amount", "pay.amount", { required: true, inputMode: "decimal" })}
      {input("memo", "pay.memo", {})}
      <button className={primary}>{t("pay.check")}</button>
    </form>
  );
}

/** check is the order of a form, or the text that says what is wrong in which field. */
async function check(form: Form, decimals: number, balance: bigint, view: View, wallet: Wallet): Promise<Order | { field: Field; key: TextKey }> {
  let units: string;
  const to = tidyAddress(form.to);
  if (!to) return { field: "to", key: "pay.bad.address" };
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

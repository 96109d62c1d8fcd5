import { type FormEvent, useState } from "react";

import { type Address } from "@dureledger/dure";

import { tidyAddress } from "./authority.js";
import { Field, ScanButton } from "./field.js";
import { MakeKey } from "./Start.js";
import type { TextKey } from "./texts.js";
import { primary } from "./ui.js";
import type { View } from "./view.js";
import type { Wallet } from "./wallet.js";
import { useWords } from "./words.js";

/** A key of this device for an account that there is already. */
export function Join({ view, wallet }: { view: View; wallet: Wallet }) {
  const { t } = useWords();
  const [text, setText] = useState("");
  const [account, setAccount] = useState<Address>();
  const [wrong, setWrong] = useState<TextKey>();
  const submit = async (e: FormEvent) => {
    e.preventDefault();
    const address = tidyAddress(text);
    const bad = !address ? "pay.bad.address" : (await wallet.has(address).catch(() => true)) ? undefined : "join.none";
    setWrong(bad);
    if (bad) document.getElementById("account")?.focus();
    else setAccount(address);
  };
  if (account) {
    return (
      <>
        <p className="mb-4 break-all font-mono text-sm">{account}</p>
        <MakeKey view={view} wallet={wallet} account={account} />
      </>
    );
  }
  return (
    <form onSubmit={(e) => void submit(e)} noValidate>
      <p className="mb-4">{t("join.lead")}</p>
      <Field id="account" label="join.address" value={text} put={(v) => { setText(v); setWrong(undefined); }} wrong={wrong && t(wrong)} mono />
      <ScanButton found={setText} />
      <button className={primary}>{t("pay.check")}</button>
    </form>
  );
}

import { type ChangeEvent, type FormEvent, useState } from "react";

import { Refusal } from "@dureledger/dure";
import { readCredential } from "@dureledger/dure/credential";

import { Scan } from "../scan.js";
import { sayRefusal } from "../texts.js";
import { Card, Notice, primary, secondary } from "../ui.js";
import { useWords } from "../words.js";
import type { Cabinet } from "./cabinet.js";

/** The largest file that is opened, in bytes: that of a credential. */
const maxFile = 64 << 10;

/** Adding a credential by its text, its file or its QR code. */
export function Add({ cabinet, added }: { cabinet: Cabinet; added: () => Promise<void> }) {
  const { t, lang } = useWords();
  const [text, setText] = useState("");
  const [trouble, setTrouble] = useState<string>();
  const [busy, setBusy] = useState(false);
  const [scanning, setScanning] = useState(false);
  const put = async (given: string) => {
    setBusy(true);
    setTrouble(undefined);
    try {
      if (!cabinet.mine(readCredential(given))) throw new Refusal("credential.wrong_holder", t("add.holder"));
      const id = await cabinet.add(given);
      await added();
      location.hash = `credentials/${id}`;
    } catch (err) {
      const why = err instanceof Refusal ? (err.code === "credential.wrong_holder" ? err.message : sayRefusal(lang, err.code, err.message)) : t("trouble.node");
      setTrouble(`${t("add.refused")} ${why}`);
    } finally {
      setBusy(false);
    }
  };
  const open = async (e: ChangeEvent<HTMLInputElement>) => {
    const file = e.target.files?.[0];
    e.target.value = "";
    if (!file) return;
    const content = (await file.slice(0, maxFile + 1).text()).trim();
    setText(content);
    await put(content);
  };
  const submit = (e: FormEvent) => {
    e.preventDefault();
    void put(text.trim());
  };
  return (
    <>
      <p className="mb-4">{t("add.lead")}</p>
      {trouble && <Notice kind="bad">{trouble}</Notice>}
      <Card>
        <form onSubmit={submit} className="grid gap-3">
          <label className="block">
            <span className="text-sm text-soft">{t("add.text")}</span>
            <textarea value={text} rows={4} required spellCheck={false} autoCapitalize="none" autoComplete="off" className="mt-1 block w-full rounded-lg border border-edge bg-card p-3 font-mono text-sm"
              onChange={(e) => setText(e.target.value)} />
          </label>
          <button type="submit" className={primary} disabled={busy}>{t("add.put")}</button>
          <label className={`${secondary} focus-within:outline-3 focus-within:outline-good`}>
            {t("add.file")}
            <input type="file" className="sr-only" disabled={busy} onChange={(e) => void open(e)} />
          </label>
          <button type="button" className={secondary} disabled={busy} onClick={() => setScanning(!scanning)}>{t(scanning ? "pay.scan.stop" : "pay.scan")}</button>
        </form>
        {scanning && <Scan found={(found) => { setScanning(false); setText(found); void put(found.trim()); }} failed={() => { setScanning(false); setTrouble(t("pay.scan.none")); }} />}
        <p role="status" className="mt-2 min-h-6 text-soft">{busy ? t("add.checking") : ""}</p>
      </Card>
    </>
  );
}

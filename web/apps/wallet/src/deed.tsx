import { type ReactNode, useEffect, useState } from "react";

import { Refusal, Undecided } from "@dureledger/dure";

import { type TextKey, sayRefusal } from "./texts.js";
import { Card, Notice, primary, secondary } from "./ui.js";
import { useWords } from "./words.js";

/** Something that the person does on the ledger: whether it is under way, and what went wrong. */
export interface Deed {
  readonly busy: boolean;
  readonly trouble: string | undefined;
  readonly run: (what: () => Promise<void>) => Promise<void>;
  readonly clear: () => void;
}

/** How a deed can end without having happened, in words. */
type Ends = Readonly<Record<"failed" | "undecided" | "declined", TextKey>>;

/** useDeed runs what signs and submits, and says what became of it when that is not what was wanted. */
export function useDeed(ends: Ends = { failed: "deed.failed", undecided: "deed.undecided", declined: "deed.declined" }): Deed {
  const { t, lang } = useWords();
  const [busy, setBusy] = useState(false);
  const [trouble, setTrouble] = useState<string>();
  useStay(busy);
  const run = async (what: () => Promise<void>) => {
    setBusy(true);
    setTrouble(undefined);
    try {
      await what();
    } catch (err) {
      if (err instanceof Undecided) setTrouble(t(ends.undecided));
      else if (err instanceof Refusal) setTrouble(`${t(ends.failed)} ${sayRefusal(lang, err.code, err.message)}`);
      else if (err instanceof DOMException) setTrouble(t(ends.declined));
      else setTrouble(`${t(ends.failed)} ${t("trouble.node")}`);
    } finally {
      setBusy(false);
    }
  };
  return { busy, trouble, run, clear: () => setTrouble(undefined) };
}

/** Trouble is what went wrong with a deed, if anything did. */
export function Trouble({ deed }: { deed: Deed }) {
  return deed.trouble ? <Notice kind="bad">{deed.trouble}</Notice> : null;
}

/** A last look before something is signed. */
export function Confirm(p: { title: TextKey; yes: TextKey; no: TextKey; working: TextKey; deed: Deed; act: () => void; back: () => void; children: ReactNode }) {
  const { t } = useWords();
  return (
    <Card>
      <h2 className="mb-3 text-lg font-semibold">{t(p.title)}</h2>
      {p.children}
      <div className="mt-4 grid gap-3">
        <button type="button" className={primary} disabled={p.deed.busy} autoFocus onClick={p.act}>{t(p.yes)}</button>
        <button type="button" className={secondary} disabled={p.deed.busy} onClick={p.back}>{t(p.no)}</button>
      </div>
      <p role="status" className="mt-2 min-h-6 text-soft">{p.deed.busy ? t(p.working) : ""}</p>
    </Card>
  );
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

import { useState } from "react";

import { type Address, objectRecovery } from "@dureledger/dure";

import { Confirm, Trouble, useDeed } from "./deed.js";
import { when } from "./ui.js";
import type { View } from "./view.js";
import type { Wallet } from "./wallet.js";
import { KeyNumber, Who } from "./who.js";
import { useWords } from "./words.js";

/** A recovery of this account that somebody has begun, said loudly, and the way to object. */
export function RunningRecovery({ view, wallet }: { view: View; wallet: Wallet }) {
  const { t, lang } = useWords();
  const [sure, setSure] = useState(false);
  const deed = useDeed();
  const q = view.recovery?.request;
  if (!q || q.key === view.key) return null;
  const object = () =>
    deed.run(async () => {
      const { waits } = await wallet.act([objectRecovery({ account: view.address!, key: q.key as Address, by: view.address! })], t("reason.recovery"));
      setSure(false);
      if (waits) location.hash = "proposals";
    });
  if (sure) {
    return (
      <>
        <Trouble deed={deed} />
        <Confirm title="recovery.object" yes="recovery.object" no="deed.cancel" working="deed.working" deed={deed} act={() => void object()} back={() => setSure(false)}>
          <p>{t("recovery.object.look")}</p>
        </Confirm>
      </>
    );
  }
  return (
    <section role="alert" aria-labelledby="recovery" className="mb-6 rounded-xl border-2 border-bad bg-bad-bg p-4 text-bad">
      <h2 id="recovery" className="mb-2 text-lg font-bold">{t("recovery.runs")}</h2>
      <dl className="mb-2 grid gap-2">
        <div><dt className="text-sm">{t("help.begun")}</dt><dd><Who address={q.begunBy} view={view} /></dd></div>
        <div><dt className="text-sm">{t("request.key")}</dt><dd><KeyNumber address={q.key} /></dd></div>
      </dl>
      <p className="mb-2 font-semibold">
        {q.readyAt ? t("recovery.runs.ready", when(Date.parse(q.readyAt), lang)) : t("recovery.runs.few", String(q.agreed.length), String(view.recovery?.rules?.threshold ?? 0))}
      </p>
      <p className="mb-3">{t("recovery.runs.mine")}</p>
      <button type="button" className="min-h-12 w-full rounded-lg bg-bad px-4 py-2 font-semibold text-bad-bg" onClick={() => setSure(true)}>{t("recovery.object")}</button>
    </section>
  );
}

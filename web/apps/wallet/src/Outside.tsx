import { useState } from "react";

import { type Action, type Address, recover, ruleOf, setRule } from "@dureledger/dure";

import { requestLink, withKey } from "./authority.js";
import { Qr } from "./qr.js";
import { Card, Copyable, Notice, save, secondary, when } from "./ui.js";
import type { View } from "./view.js";
import type { Wallet } from "./wallet.js";
import { KeyNumber, memberName } from "./who.js";
import { useWords } from "./words.js";

/** The key that is here does not act for the account yet: asking a device of one's own, or those who may recover it. */
export function Outside({ view, wallet }: { view: View; wallet: Wallet }) {
  const { t } = useWords();
  const account = view.address!;
  const rules = view.recovery?.rules;
  const ask = (by: string) => recover({ account, by: by as Address, to: wallet.publicKey });
  const several = view.account && Math.max(ruleOf(view.account).manage, ruleOf(view.account).other) > 1;
  return (
    <>
      <p className="mb-4">{t("outside.lead")}</p>
      <Card>
        <p className="text-sm text-soft">{t("request.key")}</p>
        <p><KeyNumber address={view.key ?? ""} /></p>
      </Card>
      <Recovering view={view} />
      {!several && (
        <>
          <h2 className="mb-2 text-lg font-semibold">{t("outside.mine")}</h2>
          <Card>
            <p className="mb-3">{t("outside.mine.about")}</p>
            <Ask label={t("outside.ask.mine")} make={() => setRule(account, withKey(ruleOf(view.account!), view.key!))} wallet={wallet} />
          </Card>
        </>
      )}
      <h2 className="mb-2 text-lg font-semibold">{t("outside.lost")}</h2>
      {rules && rules.guardians.length > 0 && (
        <Card>
          <p className="mb-3">{t("outside.lost.about", String(rules.guardians.length), String(rules.threshold))}</p>
          <div className="grid gap-3">{rules.guardians.map((g) => <Ask key={g} label={t("outside.ask", memberName(g, view))} make={() => ask(g)} wallet={wallet} />)}</div>
        </Card>
      )}
      {rules?.sponsor && view.account && (
        <Card>
          <p className="mb-3">{t("outside.sponsor", memberName(view.account.sponsor, view))}</p>
          <Ask label={t("outside.ask", memberName(view.account.sponsor, view))} make={() => ask(view.account!.sponsor)} wallet={wallet} />
        </Card>
      )}
      {!rules?.sponsor && !rules?.guardians.length && <Card><p>{t("outside.nobody")}</p></Card>}
      <a href="#settings" className="inline-block min-h-11 py-2 underline underline-offset-4">{t("settings")}</a>
    </>
  );
}

/** A recovery of the account that has begun. */
function Recovering({ view }: { view: View }) {
  const { t, lang } = useWords();
  const q = view.recovery?.request;
  if (!q) return null;
  if (q.key !== view.key) return <Notice kind="note">{t("outside.another")}</Notice>;
  return (
    <Notice kind="good">
      {!q.bySponsor && <p>{t("outside.begun", String(q.agreed.length), String(view.recovery?.rules?.threshold ?? 0))}</p>}
      {q.readyAt && <p>{t("outside.ready", when(Date.parse(q.readyAt), lang))}</p>}
    </Notice>
  );
}

/** A request to somebody: a button that signs it with the key that is here, then its QR code, text and file. */
function Ask({ label, make, wallet }: { label: string; make: () => Action; wallet: Wallet }) {
  const { t } = useWords();
  const [raw, setRaw] = useState<Uint8Array<ArrayBuffer>>();
  const [declined, setDeclined] = useState(false);
  if (!raw) {
    const sign = () => {
      setDeclined(false);
      wallet.request(make()).then(setRaw, () => setDeclined(true));
    };
    return (
      <div>
        <button type="button" className={`${secondary} break-all`} onClick={sign}>{label}</button>
        {declined && <p role="alert" className="mt-1 text-bad">{t("deed.declined")}</p>}
      </div>
    );
  }
  const link = requestLink(location.origin, raw);
  return (
    <div>
      <Qr text={link} label={t("request.qr")} large />
      <Copyable label={t("request.text")} text={link} long />
      <button type="button" className={secondary} onClick={() => save("request.agree", new Blob([wallet.agreement(raw)], { type: "application/json" }))}>{t("request.save")}</button>
    </div>
  );
}

import { useState } from "react";

import type { Address } from "@dureledger/dure";

import type { TextKey } from "./texts.js";
import { Card, Notice, primary, secondary } from "./ui.js";
import type { View } from "./view.js";
import type { Wallet } from "./wallet.js";
import { type WordsValue, useWords } from "./words.js";

/** Making the key of a new wallet, or taking one up that was made before. */
export function Start({ view, wallet }: { view: View; wallet: Wallet }) {
  const { t } = useWords();
  return (
    <>
      <p className="mb-4">{t("start.lead")}</p>
      <MakeKey view={view} wallet={wallet} />
      <Card>
        <p className="mb-3">{t("start.join.about")}</p>
        <a className={secondary} href="#join">{t("start.join")}</a>
      </Card>
    </>
  );
}

/** The kinds of key to choose from, for an account of its own or for one that there is. */
export function MakeKey({ view, wallet, account }: { view: View; wallet: Wallet; account?: Address }) {
  const { t } = useWords();
  const [busy, setBusy] = useState(false);
  const [trouble, setTrouble] = useState<TextKey>();
  const obstacle = noPasskey(view, t);
  const attempt = async (what: () => Promise<boolean | void>, failed: TextKey = "start.declined") => {
    setBusy(true);
    setTrouble(undefined);
    try {
      if ((await what()) === false) setTrouble("start.found.none");
    } catch {
      setTrouble(failed);
    } finally {
      setBusy(false);
    }
  };
  if (!isSecureContext) return <Notice kind="bad">{t("start.insecure")}</Notice>;
  return (
    <>
      {trouble && <Notice kind="bad">{t(trouble)}</Notice>}
      <Card>
        <p className="mb-3">{t("start.passkey.about")}</p>
        <button type="button" className={primary} disabled={busy || !!obstacle} onClick={() => void attempt(() => wallet.make("passkey", t("wallet"), account))}>
          {t("start.passkey")}
        </button>
        {!account && (
          <button type="button" className={`${secondary} mt-3`} disabled={busy || !!obstacle} onClick={() => void attempt(() => wallet.find(), "start.found.failed")}>
            {t("start.found")}
          </button>
        )}
        {obstacle && <p className="mt-3 text-sm text-note">{obstacle}</p>}
      </Card>
      <Card>
        <p className="mb-3">{t("start.key.about")}</p>
        <button type="button" className={secondary} disabled={busy} onClick={() => void attempt(() => wallet.make("browser", t("wallet"), account))}>{t("start.key")}</button>
      </Card>
    </>
  );
}

/** noPasskey is why passkeys cannot be used here; undefined if they can. */
export function noPasskey(view: View, t: WordsValue["t"]): string | undefined {
  if (view.origins.length === 0) return t("start.passkey.never");
  if (!view.origins.includes(location.origin)) return t("start.passkey.elsewhere", view.origins.map((o) => `${o}/wallet/`).join(", "));
  return typeof PublicKeyCredential === "undefined" ? t("start.passkey.device") : undefined;
}

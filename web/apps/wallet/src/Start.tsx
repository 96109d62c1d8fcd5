import { useState } from "react";

import { Card, Notice, primary, secondary } from "./ui.js";
import type { View, Wallet } from "./wallet.js";
import { useWords } from "./words.js";

/** Making the key of a new wallet. */
export function Start({ view, wallet }: { view: View; wallet: Wallet }) {
  const { t } = useWords();
  const [busy, setBusy] = useState(false);
  const [declined, setDeclined] = useState(false);
  const here = view.origins.includes(location.origin) && typeof PublicKeyCredential !== "undefined";
  const make = (kind: "passkey" | "browser") => {
    setBusy(true);
    setDeclined(false);
    wallet.make(kind, t("wallet")).catch(() => setDeclined(true)).finally(() => setBusy(false));
  };
  return (
    <>
      <p className="mb-4">{t("start.lead")}</p>
      {declined && <Notice kind="bad">{t("start.declined")}</Notice>}
      <Card>
        <p className="mb-3">{t("start.passkey.about")}</p>
        <button type="button" className={primary} disabled={busy || !here} onClick={() => make("passkey")}>{t("start.passkey")}</button>
        {!here && (
          <p className="mt-3 text-sm text-note">
            {view.origins.length === 0 ? t("start.passkey.never") : t("start.passkey.elsewhere", view.origins.map((o) => `${o}/wallet/`).join(", "))}
          </p>
        )}
      </Card>
      <Card>
        <p className="mb-3">{t("start.key.about")}</p>
        <button type="button" className={secondary} disabled={busy} onClick={() => make("browser")}>{t("start.key")}</button>
      </Card>
    </>
  );
}

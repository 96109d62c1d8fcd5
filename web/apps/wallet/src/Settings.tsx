import { useState } from "react";

import { Card, Fact, Facts, primary, save, secondary } from "./ui.js";
import type { View } from "./view.js";
import type { Wallet } from "./wallet.js";
import { useWords } from "./words.js";
import { zip } from "./zip.js";

export function Settings({ view, wallet }: { view: View; wallet: Wallet }) {
  const { t } = useWords();
  const receipts = wallet.export().size - 1;
  return (
    <>
      <Card>
        <p className="mb-3">{t("settings.export.about", String(receipts))}</p>
        <button type="button" className={primary} onClick={() => save("dure-receipts.zip", zip(wallet.export()))}>{t("settings.export")}</button>
      </Card>
      {view.phase === "open" && (
        <Card>
          <nav className="grid gap-3" aria-label={t("settings.title")}>
            <a className={secondary} href="#keys">{t("keys")}</a>
            {view.recovery && <a className={secondary} href="#guardians">{t("guardians")}</a>}
            {view.account?.rule && <a className={secondary} href="#proposals">{t("proposals")}</a>}
            <a className={secondary} href="#help">{t("help")}</a>
          </nav>
        </Card>
      )}
      <Card>
        <Facts>
          <Fact name="settings.key">{t(view.identity === "passkey" ? "settings.key.passkey" : "settings.key.browser")}</Fact>
          {view.account && <Fact name="settings.sponsor">{view.members.find((m) => m.address === view.account?.sponsor)?.name ?? view.account.sponsor}</Fact>}
          <Fact name="address"><span className="break-all font-mono text-sm">{view.address}</span></Fact>
          <Fact name="settings.network">
            <span className="break-all font-mono text-sm">{view.network}</span>
            <span className="block text-sm text-soft">{t("settings.network.about")}</span>
          </Fact>
        </Facts>
      </Card>
      <Forget wallet={wallet} />
    </>
  );
}

/** Deleting what this browser keeps, once asked twice. */
export function Forget({ wallet }: { wallet: Wallet }) {
  const { t } = useWords();
  const [sure, setSure] = useState(false);
  return (
    <Card>
      <p className="mb-3">{t("settings.forget.about")}</p>
      {sure ? (
        <div className="grid grid-cols-2 gap-3">
          <button type="button" className={secondary} onClick={() => setSure(false)} autoFocus>{t("settings.keep")}</button>
          <button type="button" className={`${secondary} border-bad! text-bad!`} onClick={() => void wallet.forget()}>{t("settings.forget.sure")}</button>
        </div>
      ) : (
        <button type="button" className={secondary} onClick={() => setSure(true)}>{t("settings.forget")}</button>
      )}
    </Card>
  );
}

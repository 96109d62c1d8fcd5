import { Card, Copyable, primary } from "./ui.js";
import { Qr } from "./qr.js";
import type { View } from "./view.js";
import type { Wallet } from "./wallet.js";
import { useWords } from "./words.js";

/** The node answers by account: the person shows again who it is. */
export function Asleep({ wallet }: { wallet: Wallet }) {
  const { t } = useWords();
  return (
    <Card>
      <p className="mb-3">{t("asleep.about")}</p>
      <button type="button" className={primary} onClick={() => wallet.wake()}>{t("asleep.go")}</button>
    </Card>
  );
}

/** The node answers by account, and the key that is here acts for none. */
export function Closed({ view, wallet }: { view: View; wallet: Wallet }) {
  const { t } = useWords();
  return (
    <>
      <p className="mb-4">{t("closed.about")}</p>
      <Card>
        <Qr text={view.keyText ?? ""} label={t("key.qr")} />
        <Copyable label={t("wait.key")} text={view.keyText ?? ""} />
      </Card>
      <button type="button" className={primary} onClick={() => wallet.wake()}>{t("retry")}</button>
      <a href="#settings" className="mt-4 inline-block min-h-11 py-2 underline underline-offset-4">{t("settings")}</a>
    </>
  );
}

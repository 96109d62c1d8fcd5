import { Qr } from "./qr.js";
import { Card, Copyable } from "./ui.js";
import type { View } from "./view.js";
import { useWords } from "./words.js";

export function Receive({ view }: { view: View }) {
  const { t } = useWords();
  return (
    <>
      <p className="mb-4">{t("receive.lead")}</p>
      <Card>
        <Qr text={view.address ?? ""} label={t("address.qr")} />
        <Copyable label={t("address")} text={view.address ?? ""} />
      </Card>
    </>
  );
}

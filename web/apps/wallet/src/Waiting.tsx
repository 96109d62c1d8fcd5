import { Qr } from "./qr.js";
import { Card, Copyable } from "./ui.js";
import type { View } from "./view.js";
import { useWords } from "./words.js";

/** A key is there, and a member has yet to open its account. */
export function Waiting({ view }: { view: View }) {
  const { t } = useWords();
  return (
    <>
      <p className="mb-4">{t("wait.lead")}</p>
      <Card>
        <Qr text={view.keyText ?? ""} label={t("key.qr")} />
        <Copyable label={t("wait.key")} text={view.keyText ?? ""} />
        <p role="status" className="mt-2 text-soft">{t("wait.live")}</p>
      </Card>
      <h2 className="mb-2 text-lg font-semibold">{t("wait.members")}</h2>
      <ul className="mb-4 list-disc pl-6">{view.members.map((m) => <li key={m.address}>{m.name}</li>)}</ul>
      <p className="mb-4 text-sm text-soft">{t("address")} <span className="break-all font-mono">{view.address}</span></p>
      <a href="#settings" className="inline-block min-h-11 py-2 underline underline-offset-4">{t("settings")}</a>
    </>
  );
}

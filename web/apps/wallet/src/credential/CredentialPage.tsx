import { useState } from "react";

import { Card, Fact, Facts, Notice, save, secondary, when } from "../ui.js";
import { useWords } from "../words.js";
import type { Cabinet, Kept } from "./cabinet.js";
import { day } from "./Credentials.js";
import { Stands, fieldTitle, fieldValue, inOrder, useAbout, useStanding } from "./ui.js";

/** One credential: what it says, who signed it, and how it stands. */
export function CredentialPage({ cabinet, kept: { id, credential: c }, removed }: { cabinet: Cabinet; kept: Kept; removed: () => Promise<void> }) {
  const { t, lang } = useWords();
  const about = useAbout(cabinet, c);
  const standing = useStanding(cabinet, c);
  const [sure, setSure] = useState(false);
  const remove = async () => {
    await cabinet.remove(id);
    await removed();
    location.hash = "credentials";
  };
  return (
    <>
      {standing.state === "bad" && <Notice kind="bad">{standing.why}</Notice>}
      <Card>
        <h2 className="flex items-baseline justify-between gap-3 text-xl font-bold">
          {about.title}
          <Stands standing={standing} />
        </h2>
        {standing.state === "good" && <p className="mt-2 text-sm text-soft">{t("credential.good.about")}</p>}
        {standing.state === "good" && standing.over !== "" && <p className="mt-2 text-sm text-soft">{t("credential.over")}</p>}
        <h3 className="sr-only">{t("credential.says")}</h3>
        <dl className="mt-4 grid gap-3">
          {inOrder(about.schema, c.fields).map((f) => (
            <div key={f.path}>
              <dt className="text-sm text-soft">{fieldTitle(about.schema, f.path, lang)}{!f.hidden && ` · ${t("credential.always")}`}</dt>
              <dd className="text-lg font-semibold">{fieldValue(f.value, t("credential.yes"), t("credential.no"))}</dd>
            </div>
          ))}
        </dl>
      </Card>
      <Card>
        <Facts>
          <Fact name="credential.issuer">{about.issuer}<span className="block break-all font-mono text-sm">{c.issuer.account}</span></Fact>
          <Fact name="credential.issued">{when(c.issued, lang)}</Fact>
          <Fact name="credential.expires">{c.expires === undefined ? t("credentials.forever") : day(c.expires, lang)}</Fact>
        </Facts>
      </Card>
      <div className="grid gap-3">
        <button type="button" className={secondary} onClick={() => save(`${c.schema}.cred`, new Blob([`${c.text}\n`]))}>{t("credential.save")}</button>
        {sure ? (
          <div className="grid grid-cols-2 gap-3">
            <button type="button" className={secondary} autoFocus onClick={() => setSure(false)}>{t("settings.keep")}</button>
            <button type="button" className={`${secondary} border-bad! text-bad!`} onClick={() => void remove()}>{t("credential.delete.sure")}</button>
          </div>
        ) : (
          <button type="button" className={secondary} onClick={() => setSure(true)}>{t("credential.delete")}</button>
        )}
      </div>
    </>
  );
}

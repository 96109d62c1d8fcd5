import { useEffect, useState } from "react";

import type { Language } from "../texts.js";
import { Qr } from "../qr.js";
import { Card, Copyable, Notice, primary, secondary } from "../ui.js";
import { useWords } from "../words.js";
import { Add } from "./Add.js";
import { Cabinet, type Kept } from "./cabinet.js";
import { CredentialPage } from "./CredentialPage.js";
import { Show } from "./Show.js";
import { Stands, useAbout, useStanding } from "./ui.js";

/** The credentials' screens: the list, one of them, adding one, and showing some to a site. */
export default function Credentials({ network, place }: { network: string; place: string }) {
  const { t } = useWords();
  const [cabinet, setCabinet] = useState<Cabinet>();
  const [kept, setKept] = useState<readonly Kept[]>([]);
  const [lost, setLost] = useState(false);
  useEffect(() => {
    void (async () => {
      const open = await Cabinet.open(location.origin, network);
      setKept(await open.all());
      setCabinet(open);
    })().catch(() => setLost(true));
  }, [network]);
  if (lost) return <Notice kind="bad">{t("trouble.store")}</Notice>;
  if (!cabinet) return <p role="status">{t("loading")}</p>;
  const reread = async () => setKept(await cabinet.all());
  if (place === "show") return <Show cabinet={cabinet} kept={kept} />;
  if (place === "credentials/add") return <Add cabinet={cabinet} added={reread} />;
  const one = kept.find((k) => place === `credentials/${k.id}`);
  if (one) return <CredentialPage key={one.id} cabinet={cabinet} kept={one} removed={reread} />;
  if (place !== "credentials") return <p>{t("credential.gone")}</p>;
  return (
    <>
      <p className="mb-4">{t("credentials.lead")}</p>
      {kept.length === 0 ? <p className="mb-4 text-soft">{t("credentials.none")}</p> : (
        <ul className="mb-4 overflow-hidden rounded-xl border border-line bg-card">
          {kept.map((k) => <Row key={k.id} cabinet={cabinet} kept={k} />)}
        </ul>
      )}
      <nav className="mb-6 grid gap-3">
        {kept.length > 0 && <a className={primary} href="#show">{t("credentials.show")}</a>}
        <a className={kept.length > 0 ? secondary : primary} href="#credentials/add">{t("credentials.add")}</a>
      </nav>
      <Card>
        <h2 className="mb-2 text-lg font-semibold">{t("credentials.key")}</h2>
        <p className="mb-3">{t("credentials.key.about")}</p>
        <Qr text={cabinet.keyText} label={t("credentials.key.qr")} />
        <Copyable label={t("credentials.key")} text={cabinet.keyText} />
      </Card>
    </>
  );
}

function Row({ cabinet, kept: { id, credential: c } }: { cabinet: Cabinet; kept: Kept }) {
  const { t, lang } = useWords();
  const about = useAbout(cabinet, c);
  const standing = useStanding(cabinet, c);
  return (
    <li className="border-t border-line first:border-t-0">
      <a href={`#credentials/${id}`} className="block px-4 py-3">
        <span className="flex items-baseline justify-between gap-3">
          <span className="font-semibold">{about.title}</span>
          <Stands standing={standing} />
        </span>
        <span className="mt-1 block text-sm text-soft">{about.issuer}</span>
        <span className="block text-sm text-soft">{c.expires === undefined ? t("credentials.forever") : t("credentials.until", day(c.expires, lang))}</span>
      </a>
    </li>
  );
}

/** day shows the day of a time of unix milliseconds. */
export function day(time: number, lang: Language): string {
  return new Intl.DateTimeFormat(lang === "ko" ? "ko-KR" : "en-GB", { dateStyle: "long" }).format(time);
}

import { type FormEvent, useEffect, useRef, useState } from "react";

import { Refusal } from "@dureledger/dure";
import { type Answer, type PresentationRequest, answerRequest, choose, fetchRequest, refuseRequest } from "@dureledger/dure/credential";

import { Scan } from "../scan.js";
import { sayRefusal } from "../texts.js";
import { Card, Fact, Facts, Notice, primary, secondary } from "../ui.js";
import { useWords } from "../words.js";
import type { Cabinet, Kept } from "./cabinet.js";
import { dropLink, waitingLink } from "./link.js";
import { fieldTitle, fieldValue, inOrder, useAbout } from "./ui.js";

/** A site's request, and what of this wallet answers it. */
interface Asked {
  readonly request: PresentationRequest;
  /** undefined: nothing here does. */
  readonly answers: readonly Answer[] | undefined;
  /** The name of who signed it, "" if nobody did or it has none. */
  readonly name: string;
  /** It came by a link on this device. */
  readonly linked: boolean;
}

/** Showing credentials to a site: its link or QR code, who asks for what, and a yes or no. */
export function Show({ cabinet, kept }: { cabinet: Cabinet; kept: readonly Kept[] }) {
  const { t, lang } = useWords();
  const [asked, setAsked] = useState<Asked>();
  const [busy, setBusy] = useState<"reading" | "sending">();
  const [trouble, setTrouble] = useState<string>();
  const [done, setDone] = useState<{ shown: boolean; next: string | undefined }>();
  const failed = (err: unknown) =>
    setTrouble(`${t("show.failed")} ${err instanceof Refusal ? sayRefusal(lang, err.code, err.message) : t("trouble.node")}`);
  const read = async (link: string, linked: boolean) => {
    setBusy("reading");
    setTrouble(undefined);
    try {
      const request = await fetchRequest(cabinet.client, link);
      const name = request.verifier ? await cabinet.nameOf(request.verifier.account) : "";
      setAsked({ request, name, linked, answers: answersOf(request, kept) });
    } catch (err) {
      failed(err);
    } finally {
      setBusy(undefined);
    }
  };
  useEffect(() => {
    const link = waitingLink();
    dropLink();
    if (link) void read(link, true);
  }, []);
  const end = async (shown: boolean, send: () => Promise<string | undefined>) => {
    setBusy("sending");
    setTrouble(undefined);
    try {
      setDone({ shown, next: await send() });
    } catch (err) {
      failed(err);
    } finally {
      setBusy(undefined);
    }
  };
  if (done) {
    return (
      <>
        <Notice kind={done.shown ? "good" : "note"}>{t(done.shown ? "show.done" : "show.declined")}</Notice>
        {done.next && <a className={primary} href={done.next}>{t("show.back")}</a>}
      </>
    );
  }
  return (
    <>
      {trouble && <Notice kind="bad">{trouble}</Notice>}
      {asked
        ? <Request cabinet={cabinet} asked={asked} busy={busy !== undefined}
            yes={(answers) => void end(true, () => answerRequest(asked.request, answers, cabinet.key))} no={() => void end(false, () => refuseRequest(asked.request))} />
        : busy === undefined && <LinkForm read={(link) => void read(link, false)} />}
      <p role="status" className="mt-2 min-h-6 text-soft">{busy ? t(`show.${busy}`) : ""}</p>
    </>
  );
}

/** answersOf picks from the newest first: an older one may have been replaced. */
function answersOf(request: PresentationRequest, kept: readonly Kept[]): readonly Answer[] | undefined {
  try {
    return choose(request.query, [...kept].reverse().map((k) => k.credential));
  } catch {
    return undefined;
  }
}

function LinkForm({ read }: { read: (link: string) => void }) {
  const { t } = useWords();
  const [link, setLink] = useState("");
  const [scanning, setScanning] = useState(false);
  const [noCamera, setNoCamera] = useState(false);
  const submit = (e: FormEvent) => {
    e.preventDefault();
    read(link.trim());
  };
  return (
    <>
      <p className="mb-4">{t("show.lead")}</p>
      {noCamera && <Notice kind="note">{t("pay.scan.none")}</Notice>}
      <Card>
        <form onSubmit={submit} className="grid gap-3">
          <button type="button" className={scanning ? secondary : primary} onClick={() => setScanning(!scanning)}>{t(scanning ? "pay.scan.stop" : "pay.scan")}</button>
          {scanning && <Scan found={(found) => { setScanning(false); read(found.trim()); }} failed={() => { setScanning(false); setNoCamera(true); }} />}
          <label className="block">
            <span className="text-sm text-soft">{t("show.link")}</span>
            <input value={link} required spellCheck={false} autoCapitalize="none" autoComplete="off" className="mt-1 block min-h-12 w-full rounded-lg border border-edge bg-card px-3 font-mono text-sm"
              onChange={(e) => setLink(e.target.value)} />
          </label>
          <button type="submit" className={secondary}>{t("show.read")}</button>
        </form>
      </Card>
    </>
  );
}

/** Who asks for what, and the ticks without which nothing is shown. */
function Request({ cabinet, asked: { request, answers, name, linked }, busy, yes, no }: { cabinet: Cabinet; asked: Asked; busy: boolean; yes: (a: readonly Answer[]) => void; no: () => void }) {
  const { t } = useWords();
  const [ticked, setTicked] = useState<ReadonlySet<string>>(new Set());
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => heading.current?.focus(), []); // so that a screen reader goes on with who asks
  const wanted = (answers ?? []).flatMap((a) => visible(a).filter((f) => f.hidden).map((f) => key(a, f.path)));
  const tick = (one: string, on: boolean) => setTicked((before) => new Set(on ? [...before, one] : [...before].filter((other) => other !== one)));
  return (
    <>
      <Card>
        <h2 ref={heading} tabIndex={-1} className="mb-2 text-lg font-semibold outline-none">{t("show.asks")}</h2>
        {request.verifier ? <p className="mb-3 text-2xl font-bold">{name || new URL(request.responseUri).host}</p> : <Notice kind="bad">{t("show.unsigned")}</Notice>}
        <Facts>
          <Fact name="show.site"><span className="font-semibold">{new URL(request.responseUri).host}</span></Fact>
          {request.verifier && <Fact name="show.account"><span className="break-all font-mono text-sm">{request.verifier.account}</span><span className="block text-sm text-soft">{t("show.signed")}</span></Fact>}
        </Facts>
        {!linked && <p className="mt-3 text-sm text-note">{t("show.qr")}</p>}
      </Card>
      {answers ? (
        <Card>
          <h2 className="mb-2 text-lg font-semibold">{t("show.wants")}</h2>
          {wanted.length > 0 && <p className="mb-3">{t("show.tick")}</p>}
          {answers.map((a) => <Wanted key={a.query} cabinet={cabinet} answer={a} ticked={ticked} tick={tick} />)}
          {wanted.length > 1 && <button type="button" className={secondary} disabled={busy} onClick={() => setTicked(new Set(wanted))}>{t("show.all")}</button>}
        </Card>
      ) : <Notice kind="note">{t("show.none")}</Notice>}
      <div className="grid gap-3">
        {answers && <button type="button" className={primary} disabled={busy || !wanted.every((one) => ticked.has(one))} onClick={() => yes(answers)}>{t("show.yes")}</button>}
        <button type="button" className={secondary} disabled={busy} onClick={no}>{t("show.no")}</button>
      </div>
    </>
  );
}

const key = (a: Answer, path: string): string => `${a.query} ${path}`;

/** visible are the fields that the site would see, without those that stand in another of them. */
const visible = (a: Answer) => a.credential.fields.filter((f) => a.shown.includes(f.path) && !a.shown.some((other) => f.path.startsWith(`${other}.`)));

function Wanted({ cabinet, answer: a, ticked, tick }: { cabinet: Cabinet; answer: Answer; ticked: ReadonlySet<string>; tick: (one: string, on: boolean) => void }) {
  const { t, lang } = useWords();
  const about = useAbout(cabinet, a.credential);
  return (
    <fieldset className="mb-3">
      <legend className="text-sm text-soft">{about.title} · {about.issuer}</legend>
      {inOrder(about.schema, visible(a)).map((f) => {
        const value = fieldValue(f.value, t("credential.yes"), t("credential.no"));
        return (
          <label key={f.path} className="flex min-h-12 items-center gap-3 border-t border-line py-2 first-of-type:border-t-0">
            <input type="checkbox" className="size-6 accent-brand" checked={!f.hidden || ticked.has(key(a, f.path))} disabled={!f.hidden} onChange={(e) => tick(key(a, f.path), e.target.checked)} />
            <span className="min-w-0">
              <span className="block text-sm text-soft">{fieldTitle(about.schema, f.path, lang)}{!f.hidden && ` · ${t("credential.always")}`}</span>
              <span className="block font-semibold">{value}</span>
            </span>
          </label>
        );
      })}
    </fieldset>
  );
}

import { type ReactNode, Suspense, lazy, useEffect, useMemo, useRef, useState, useSyncExternalStore } from "react";

import { credentialPlace } from "./credential/place.js";
import { Asleep, Closed } from "./ShowYourself.js";
import { Guardians } from "./Guardians.js";
import { Help } from "./Help.js";
import { Home } from "./Home.js";
import { Join } from "./Join.js";
import { Keys } from "./Keys.js";
import { Outside } from "./Outside.js";
import { Pay } from "./Pay.js";
import { PaymentPage } from "./PaymentPage.js";
import { Proposals } from "./Proposals.js";
import { Receive } from "./Receive.js";
import { Forget, Settings } from "./Settings.js";
import { SponsoredRecovery } from "./SponsoredRecovery.js";
import { Start } from "./Start.js";
import { Waiting } from "./Waiting.js";
import { Words, type WordsValue, useWords } from "./words.js";
import { type Language, type TextKey, languages, say } from "./texts.js";
import { Notice } from "./ui.js";
import type { View } from "./view.js";
import type { Wallet } from "./wallet.js";

const Credentials = lazy(() => import("./credential/Credentials.js")); // only who has some loads it

const languageKey = "dure-wallet-language";

/** The wallet: a language, and one screen at a time, named by what follows # in the address. */
export function App({ wallet }: { wallet: Wallet }) {
  const view = useSyncExternalStore(wallet.subscribe, () => wallet.view);
  const place = usePlace();
  const [lang, setLang] = useState<Language>(() => languages.find((l) => l === localStorage.getItem(languageKey)) ?? "ko");
  useEffect(() => {
    document.documentElement.lang = lang;
    localStorage.setItem(languageKey, lang);
  }, [lang]);
  const words = useMemo<WordsValue>(() => ({ lang, t: (key, ...values) => say(lang, key, ...values) }), [lang]);
  return (
    <Words.Provider value={words}>
      <a href="#main" onClick={skip} className="absolute left-2 top-2 z-10 -translate-y-20 rounded bg-card px-4 py-2 focus:translate-y-0">
        {words.t("skip")}
      </a>
      <header className="border-b border-line bg-card">
        <div className="mx-auto flex max-w-xl items-center gap-3 px-4 py-3">
          <img src="/static/dure.svg" alt="" width="32" height="32" />
          <p className="min-w-0 flex-1">
            <b className="block leading-tight">{words.t("wallet")}</b>
            <small className="block truncate font-mono text-xs text-soft">{view.network}</small>
          </p>
          <button type="button" className="min-h-11 px-2 underline underline-offset-4" lang={lang === "ko" ? "en" : "ko"} onClick={() => setLang(lang === "ko" ? "en" : "ko")}>
            {words.t("other")}
          </button>
        </div>
      </header>
      <main id="main" tabIndex={-1} className="mx-auto max-w-xl px-4 py-5 outline-none">
        {view.lost && <Notice kind="note">{words.t("trouble.node")}</Notice>}
        <Screen view={view} wallet={wallet} place={place} />
      </main>
    </Words.Provider>
  );
}

function Screen({ view, wallet, place }: { view: View; wallet: Wallet; place: string }) {
  const { t } = useWords();
  if (place.startsWith("sponsored/") && view.network !== "" && view.phase !== "otherNetwork") {
    return <Page title="sponsored.title" key="sponsored"><SponsoredRecovery view={view} place={place} /></Page>;
  }
  switch (view.phase) {
    case "loading":
      return <p role="status">{t("loading")}</p>;
    case "noStore":
      return <Notice kind="bad">{t("trouble.store")}</Notice>;
    case "otherNetwork":
      return (
        <Page title="trouble.network.title" key="network">
          <Notice kind="bad">{t("trouble.network", view.pin?.network ?? "", view.network)}</Notice>
          <Forget wallet={wallet} />
        </Page>
      );
  }
  const title = credentialPlace(place);
  if (title) {
    return (
      <Page title={title} back={place.startsWith("credentials/") ? "#credentials" : "#"} key={place}>
        <Suspense fallback={<p role="status">{t("loading")}</p>}><Credentials network={view.network} place={place} /></Suspense>
      </Page>
    );
  }
  switch (view.phase) {
    case "start":
      if (place === "join") return <Page title="join.title" back key="join"><Join view={view} wallet={wallet} /></Page>;
      return <Page title="start.title" key="start"><Start view={view} wallet={wallet} /></Page>;
    case "waiting":
      if (place === "settings") return <Page title="settings.title" back key="settings"><Settings view={view} wallet={wallet} /></Page>;
      return <Page title="wait.title" key="wait"><Waiting view={view} /></Page>;
    case "asleep":
      return <Page title="asleep.title" key="asleep"><Asleep wallet={wallet} /></Page>;
    case "closed":
      if (place === "settings") return <Page title="settings.title" back key="settings"><Settings view={view} wallet={wallet} /></Page>;
      return <Page title="closed.title" key="closed"><Closed view={view} wallet={wallet} /></Page>;
    case "outside":
      if (place === "settings") return <Page title="settings.title" back key="settings"><Settings view={view} wallet={wallet} /></Page>;
      return <Page title="outside.title" key="outside"><Outside view={view} wallet={wallet} /></Page>;
  }
  const [name, id] = place.split("/");
  switch (name) {
    case "pay":
      return <Page title="pay.title" back key="pay"><Pay view={view} wallet={wallet} /></Page>;
    case "receive":
      return <Page title="receive.title" back key="receive"><Receive view={view} /></Page>;
    case "settings":
      return <Page title="settings.title" back key="settings"><Settings view={view} wallet={wallet} /></Page>;
    case "keys":
      return <Page title="keys" back key="keys"><Keys view={view} wallet={wallet} /></Page>;
    case "guardians":
      return <Page title="guardians" back key="guardians"><Guardians view={view} wallet={wallet} /></Page>;
    case "help":
      return <Page title="help" back key="help"><Help view={view} wallet={wallet} text={id ?? ""} /></Page>;
    case "proposals":
      return <Page title="proposals" back key="proposals"><Proposals view={view} wallet={wallet} /></Page>;
    case "payment":
      return <Page title="payment.title" back key="payment"><PaymentPage view={view} wallet={wallet} id={id ?? ""} /></Page>;
  }
  return <Page title="wallet" quiet key="home"><Home view={view} wallet={wallet} /></Page>;
}

/** A screen with its heading, to which the focus goes when it comes, so that screen readers say where one is. */
function Page({ title, back, quiet, children }: { title: TextKey; back?: boolean | string; quiet?: boolean; children: ReactNode }) {
  const { t } = useWords();
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    document.title = quiet ? t("wallet") : `${t(title)} · ${t("wallet")}`;
  }, [t, title, quiet]);
  useEffect(() => heading.current?.focus(), []);
  return (
    <>
      {back && <a href={back === true ? "#" : back} className="inline-block min-h-11 py-2 underline underline-offset-4">← {t("back")}</a>}
      <h1 ref={heading} tabIndex={-1} className={quiet ? "sr-only" : "mb-3 text-2xl font-bold"}>{t(title)}</h1>
      {children}
    </>
  );
}

function skip(e: React.MouseEvent) {
  e.preventDefault();
  document.getElementById("main")?.focus();
}

/** usePlace is what follows # in the address. */
function usePlace(): string {
  return useSyncExternalStore(
    (listener) => {
      addEventListener("hashchange", listener);
      return () => removeEventListener("hashchange", listener);
    },
    () => location.hash.slice(1),
  );
}

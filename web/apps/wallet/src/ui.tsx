import type { ReactNode } from "react";
import { useState } from "react";

import { formatUnits } from "@dureledger/dure";

import type { TextKey } from "./texts.js";
import { type Language } from "./texts.js";
import type { AssetName, Proof } from "./view.js";
import { useWords } from "./words.js";

const base = "flex min-h-12 w-full items-center justify-center rounded-lg px-4 py-2 text-center font-semibold disabled:opacity-60";
export const primary = `${base} border border-brand bg-brand text-white`;
export const secondary = `${base} border border-edge bg-card text-ink`;

/** A box with a message: bad news is said at once, the rest when there is a moment. */
export function Notice({ kind, children }: { kind: "note" | "bad" | "good"; children: ReactNode }) {
  const colours = { note: "bg-note-bg text-note", bad: "bg-bad-bg text-bad", good: "bg-good-bg text-good" }[kind];
  return <div role={kind === "bad" ? "alert" : "status"} className={`mb-4 rounded-lg px-4 py-3 ${colours}`}>{children}</div>;
}

export function Card({ children }: { children: ReactNode }) {
  return <div className="mb-4 rounded-xl border border-line bg-card p-4">{children}</div>;
}

/** Names and values. */
export function Facts({ children }: { children: ReactNode }) {
  return <dl className="grid grid-cols-1 gap-3">{children}</dl>;
}

export function Fact({ name, children }: { name: TextKey; children: ReactNode }) {
  const { t } = useWords();
  return (
    <div>
      <dt className="text-sm text-soft">{t(name)}</dt>
      <dd className="min-w-0">{children}</dd>
    </div>
  );
}

/** A text to be copied elsewhere, such as an address. */
export function Copyable({ label, text, long }: { label: string; text: string; long?: boolean }) {
  const { t } = useWords();
  const [copied, setCopied] = useState(false);
  return (
    <div className="mt-3">
      <p className="text-sm text-soft">{label}</p>
      <p className={`select-all break-all font-mono ${long ? "line-clamp-3 text-sm" : ""}`}>{text}</p>
      {isSecureContext && (
        <button type="button" className={`${secondary} mt-2`} onClick={() => void navigator.clipboard.writeText(text).then(() => setCopied(true))}>
          {t("copy")}
        </button>
      )}
      <p role="status" className="mt-1 min-h-6 text-center text-sm text-good">{copied ? t("copied") : ""}</p>
    </div>
  );
}

/** amount shows smallest units of an asset with its name: its code is for machines. */
export function amount(units: string, asset: string, assets: ReadonlyMap<string, AssetName>): string {
  const a = assets.get(asset);
  return `${formatUnits(units, a?.decimals ?? 0)} ${asset}`;
}

/** when shows a time of unix milliseconds as people in Korea read it. */
export function when(time: number, lang: Language): string {
  return new Intl.DateTimeFormat(lang === "ko" ? "ko-KR" : "en-GB", { dateStyle: "medium", timeStyle: "short" }).format(time);
}

/** day shows the day of a time of unix milliseconds. */
export function day(time: number, lang: Language): string {
  return new Intl.DateTimeFormat(lang === "ko" ? "ko-KR" : "en-GB", { dateStyle: "medium" }).format(time);
}

/** What this device found of a receipt, in a sign and a word. */
export function Tick({ proof }: { proof: Proof | undefined }) {
  const { t } = useWords();
  const state = proof?.state ?? "checking";
  const look = { good: ["✓", "text-good bg-good-bg"], bad: ["✕", "text-bad bg-bad-bg"], checking: ["…", "text-soft"], none: ["?", "text-soft"] }[state];
  return (
    <span className={`inline-block whitespace-nowrap rounded-full px-2 text-sm font-semibold ${look[1]}`}>
      <span aria-hidden="true">{look[0]} </span>
      {t(`tick.${state}`)}
    </span>
  );
}

/** save hands the person a file. */
export function save(name: string, content: Blob): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(content);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000); // browsers begin to read it after the click
}

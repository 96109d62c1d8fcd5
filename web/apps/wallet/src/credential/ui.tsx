import { useEffect, useState } from "react";

import { Refusal, type Schema } from "@dureledger/dure";
import { type Credential, type Field, type Json, verifyCredential } from "@dureledger/dure/credential";

import { type Language, sayRefusal } from "../texts.js";
import { useWords } from "../words.js";
import type { Cabinet } from "./cabinet.js";

/** What a person is told about a credential. */
export interface About {
  readonly title: string;
  readonly issuer: string;
  readonly schema: Schema | undefined;
}

/** useAbout has the names of a credential and its issuer, as the node says them. */
export function useAbout(cabinet: Cabinet, c: Credential): About {
  const { lang } = useWords();
  const [schema, setSchema] = useState<Schema>();
  const [name, setName] = useState("");
  useEffect(() => {
    void cabinet.schema(c.schema).then(setSchema);
    void cabinet.nameOf(c.issuer.account).then(setName);
  }, [cabinet, c]);
  return { title: schema ? (lang === "ko" ? schema.titleKo : schema.titleEn) : c.schema, issuer: name || short(c.issuer.account), schema };
}

export const short = (address: string): string => `${address.slice(0, 6)}…${address.slice(-4)}`;

/** inOrder has fields in the order of the schema, which its registrar chose for people. */
export function inOrder(schema: Schema | undefined, fields: readonly Field[]): readonly Field[] {
  const place = (f: Field) => schema?.fields.findIndex((one) => one.name === f.path.split(".")[0]) ?? 0;
  return [...fields].sort((a, b) => place(a) - place(b));
}

/** fieldTitle names a field as the schema does, in the visitor's language. */
export function fieldTitle(schema: Schema | undefined, path: string, lang: Language): string {
  const [name = "", ...rest] = path.split(".");
  const field = schema?.fields.find((f) => f.name === name);
  const title = field ? (lang === "ko" ? field.titleKo : field.titleEn) : name;
  return rest.length === 0 ? title : `${title} ${rest.map((step) => (/^[0-9]+$/.test(step) ? String(Number(step) + 1) : step)).join(" ")}`;
}

/** fieldValue shows a value to a person. */
export function fieldValue(value: Json, yes: string, no: string): string {
  if (typeof value === "boolean") return value ? yes : no;
  if (typeof value === "string" || typeof value === "number") return String(value);
  if (Array.isArray(value)) return (value as readonly Json[]).map((v) => fieldValue(v, yes, no)).join(", ");
  return value === null ? "–" : Object.entries(value).map(([name, v]) => `${name}: ${fieldValue(v, yes, no)}`).join(", ");
}

/** How a credential stands at the moment. */
export type Standing = { readonly state: "checking" | "unknown" } | { readonly state: "good"; readonly over: string } | { readonly state: "bad"; readonly why: string };

/** useStanding verifies a credential at the node. */
export function useStanding(cabinet: Cabinet, c: Credential): Standing {
  const { lang } = useWords();
  const [standing, set] = useState<Standing>({ state: "checking" });
  useEffect(() => {
    let current = true;
    const tell = (s: Standing) => current && set(s);
    verifyCredential(cabinet.client, c.text).then(
      ({ over }) => tell({ state: "good", over }),
      (err: unknown) => tell(err instanceof Refusal ? { state: "bad", why: sayRefusal(lang, err.code, err.message) } : { state: "unknown" }),
    );
    return () => {
      current = false;
    };
  }, [cabinet, c, lang]);
  return standing;
}

/** How it stands, in a sign and a word. */
export function Stands({ standing }: { standing: Standing }) {
  const { t } = useWords();
  const look = { good: ["✓", "text-good bg-good-bg"], bad: ["✕", "text-bad bg-bad-bg"], checking: ["…", "text-soft"], unknown: ["?", "text-soft"] }[standing.state];
  return (
    <span className={`inline-block whitespace-nowrap rounded-full px-2 text-sm font-semibold ${look[1]}`}>
      <span aria-hidden="true">{look[0]} </span>
      {t(`credential.${standing.state}`)}
    </span>
  );
}

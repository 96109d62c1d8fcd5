import { Refusal } from "../refusal.js";
import type { Credential } from "./credential.js";
import { type Json, isObject } from "./json.js";
import { schemaName } from "./name.js";
import type { Path } from "./sdjwt.js";

/** A DCQL query (OpenID4VP 1.0, section 6): which credentials, with which claims. */
export interface Query {
  readonly credentials: readonly CredentialQuery[];
  readonly credential_sets?: readonly { readonly options: readonly (readonly string[])[]; readonly required?: boolean }[];
}

export interface CredentialQuery {
  readonly id: string;
  readonly format: string;
  readonly meta: { readonly vct_values?: readonly string[] };
  readonly claims?: readonly ClaimQuery[];
  readonly claim_sets?: readonly (readonly string[])[];
}

export interface ClaimQuery {
  readonly id?: string;
  /** Text for members, numbers for elements and null for all elements. */
  readonly path: readonly (string | number | null)[];
  readonly values?: readonly Json[];
}

/** A credential that answers a query, and what it would disclose. */
export interface Answer {
  /** The id of the query. */
  readonly query: string;
  readonly credential: Credential;
  /** The fields that are asked for and could be withheld, for present. */
  readonly disclose: readonly string[];
  /** All that the site would see. */
  readonly shown: readonly string[];
}

const bad = (what: string) => new Refusal("presentation.bad_request", `this is no request as OpenID4VP says: ${what}`);
const unsupported = (what: string) => new Refusal("presentation.unsupported", `the request is for what this program does not do: ${what}`);

const id = /^[A-Za-z0-9_-]{1,100}$/;
const most = 64;

function list(v: unknown, what: string, needed = false): readonly Json[] {
  if (v === undefined && !needed) return [];
  if (!Array.isArray(v) || v.length > most || (needed && v.length === 0)) throw bad(`${what} is no list, empty, or of more than ${most}`);
  return v as readonly Json[];
}

/** parseQuery reads a DCQL query. Members that are not known are passed over, as the standard says. */
export function parseQuery(v: Json | undefined): Query {
  if (!isObject(v)) throw bad("it has no dcql_query");
  const ids = new Set<string>();
  for (const c of list(v["credentials"], "credentials", true)) {
    if (!isObject(c) || typeof c["id"] !== "string" || !id.test(c["id"]) || ids.has(c["id"])) throw bad("the id of a credential is missing, of other characters, or there twice");
    ids.add(c["id"]);
    checkCredential(c as unknown as CredentialQuery & Record<string, Json>);
  }
  for (const s of list(v["credential_sets"], "credential_sets")) {
    for (const option of list(isObject(s) ? s["options"] : undefined, "options", true)) {
      for (const name of list(option, "an option", true)) if (!ids.has(String(name))) throw bad("a credential set names an id that is nowhere");
    }
  }
  return v as unknown as Query;
}

function checkCredential(c: CredentialQuery & Record<string, Json>): void {
  if (typeof c.format !== "string") throw bad("a credential has no format");
  if (list(c["trusted_authorities"], "trusted_authorities").length > 0) throw unsupported("trusted_authorities; the ledger says who may issue");
  if (c["require_cryptographic_holder_binding"] === false) throw unsupported("a credential without proof of its holder, which anybody with a copy could show");
  if (c.format === "dc+sd-jwt") list(isObject(c["meta"]) ? c["meta"]["vct_values"] : undefined, "vct_values", true);
  const ids = new Set<string>();
  const sets = list(c["claim_sets"], "claim_sets");
  for (const claim of list(c["claims"], "claims")) {
    if (!isObject(claim)) throw bad("a claim is no object");
    const name = claim["id"];
    if (name === undefined ? sets.length > 0 : typeof name !== "string" || !id.test(name) || ids.has(name)) throw bad("the id of a claim is missing, of other characters, or there twice");
    ids.add(String(name));
    for (const step of list(claim["path"], "path", true)) {
      if (step !== null && typeof step !== "string" && !(typeof step === "number" && Number.isInteger(step) && step >= 0)) throw bad("a step of a path is neither a name, an index nor null");
    }
    for (const value of list(claim["values"], "values")) if (!["string", "number", "boolean"].includes(typeof value)) throw bad("a value to compare with is neither text, number nor true or false");
  }
  for (const set of sets) for (const name of list(set, "a claim set", true)) if (!ids.has(String(name))) throw bad("a claim set names an id that is nowhere");
}

const noMatch = (query: string) => new Refusal("presentation.no_match", `no credential here answers what the request calls ${query}: none is of a type that it wants and has all claims that it asks for`, { query });

/** choose picks from the holder's credentials, in their order, what answers a query with the least; nothing for sets that are not required. */
export function choose(query: Query, held: readonly Credential[]): Answer[] {
  const found = new Map<string, Answer>();
  for (const q of query.credentials) {
    for (const c of held) {
      const places = satisfied(q, c);
      if (!places) continue;
      found.set(q.id, answer(q.id, c, places));
      break;
    }
  }
  const wanted = new Set<string>();
  if (!query.credential_sets?.length) for (const q of query.credentials) wanted.add(q.id);
  for (const set of query.credential_sets ?? []) {
    if (set.required === false) continue;
    const option = set.options.find((ids) => ids.every((one) => found.has(one)));
    if (!option) throw noMatch(set.options[0]?.[0] ?? "");
    for (const one of option) wanted.add(one);
  }
  return query.credentials.filter((q) => wanted.has(q.id)).map((q) => {
    const got = found.get(q.id);
    if (!got) throw noMatch(q.id);
    return got;
  });
}

/** satisfied lists the places of the claims that a query wants of a credential, of the first set that it has; undefined if it has none. */
function satisfied(q: CredentialQuery, c: Credential): Path[] | undefined {
  if (q.format !== "dc+sd-jwt" || !q.meta.vct_values?.includes(schemaName(c.issuer.network, c.schema))) return undefined;
  for (const set of q.claim_sets?.length ? q.claim_sets : [undefined]) {
    const claims = (q.claims ?? []).filter((claim) => !set || set.includes(claim.id ?? ""));
    const places = claims.map((claim) => find(c.claims, claim));
    if (places.every((p) => p.length > 0)) return places.flat();
  }
  return undefined;
}

/** find lists the places that a claim's path selects (section 7.1), with one of its values if it names some. */
function find(claims: Json, claim: ClaimQuery): Path[] {
  let places: { path: Path; value: Json }[] = [{ path: [], value: claims }];
  for (const step of claim.path) {
    places = places.flatMap(({ path, value }) => {
      if (typeof step === "string") return isObject(value) && Object.hasOwn(value, step) ? [{ path: [...path, step], value: value[step] as Json }] : [];
      if (!Array.isArray(value)) return [];
      const all = (value as readonly Json[]).map((v, i) => ({ path: [...path, i], value: v }));
      return step === null ? all : all.slice(step, step + 1);
    });
  }
  return places.filter(({ value }) => !claim.values?.length || claim.values.includes(value)).map(({ path }) => path);
}

const begins = (path: Path, start: Path): boolean => start.every((step, i) => path[i] === step);

function answer(query: string, credential: Credential, places: readonly Path[]): Answer {
  const disclose = credential.token.disclosures.filter((d) => places.some((p) => begins(p, d.path) || begins(d.path, p))).map((d) => d.path.join("."));
  return { query, credential, disclose, shown: credential.fields.filter((f) => !f.hidden || disclose.includes(f.path)).map((f) => f.path) };
}

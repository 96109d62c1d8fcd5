import { sha256 } from "@noble/hashes/sha2.js";

import { toBase64url, utf8 } from "../bytes.js";
import { Refusal } from "../refusal.js";
import { type Json, type JsonObject, isObject, malformed, maxDepth, maxText, parseJson, tooLarge } from "./json.js";
import { type HolderKey, type Jws, decodePart, parseJws, signJws } from "./jws.js";

const maxDisclosures = 256;

/** Where a value stands: names of members, and numbers of elements. */
export type Path = readonly (string | number)[];

/** What the holder may show or withhold. */
export interface Disclosure {
  readonly encoded: string;
  /** undefined: an element of an array. */
  readonly name?: string;
  readonly value: Json;
  /** Set when its digest was found. */
  path: Path;
  within: Disclosure | undefined;
}

/** An SD-JWT (RFC 9901) with its disclosures in their places. No signature of it is verified. */
export interface SdJwt {
  readonly issued: Jws;
  readonly disclosures: readonly Disclosure[];
  /** The payload with what is disclosed in its place, and without digests. */
  readonly claims: JsonObject;
  /** The key binding JWT. */
  readonly binding: Jws | undefined;
  /** What the holder signs the hash of. */
  readonly unbound: string;
}

export const digest = (text: string): string => toBase64url(sha256(utf8(text)));

/** parseSdJwt follows RFC 9901, section 7.1, and refuses what it says must be refused. */
export function parseSdJwt(text: string): SdJwt {
  if (text.length > maxText) throw tooLarge(`${text.length} bytes, more than ${maxText}`);
  const parts = text.split("~");
  if (parts.length < 2) throw malformed("it has no ~");
  if (parts.length - 2 > maxDisclosures) throw tooLarge(`more than ${maxDisclosures} disclosures`);
  const issued = parseJws(parts[0] as string);
  const last = parts.at(-1) as string;
  const disclosures = parts.slice(1, -1).map(parseDisclosure);
  const claims = new Resolver(disclosures).resolve(issued.payload);
  return { issued, disclosures, claims, binding: last === "" ? undefined : parseJws(last), unbound: text.slice(0, text.length - last.length) };
}

/** select shows those disclosures alone that are named, and those that they are within, without key binding. */
export function select(token: SdJwt, keep: (d: Disclosure) => boolean): string {
  const kept = new Set<Disclosure>();
  for (const d of token.disclosures) for (let at = keep(d) ? d : undefined; at; at = at.within) kept.add(at);
  return [token.issued.text, ...token.disclosures.filter((d) => kept.has(d)).map((d) => d.encoded), ""].join("~");
}

/** bind adds the holder's signature: for whom it is, what it answers, and of just what is shown (section 4.3). Now is in unix milliseconds. */
export async function bind(shown: string, key: HolderKey, aud: string, nonce: string, now: number): Promise<string> {
  return shown + (await signJws(key, "kb+jwt", { iat: Math.floor(now / 1000), aud, nonce, sd_hash: digest(shown) }));
}

const reserved = (name: Json | undefined): boolean => name === "_sd" || name === "..." || name === "_sd_alg";

function parseDisclosure(encoded: string): Disclosure {
  const v = parseJson(decodePart(encoded));
  if (!Array.isArray(v) || (v.length !== 2 && v.length !== 3)) throw malformed("a disclosure is not an array of two or three");
  const parts = v as readonly Json[];
  if (typeof parts[0] !== "string") throw malformed("the salt of a disclosure is no text");
  const rest = { encoded, value: parts.at(-1) as Json, path: [], within: undefined };
  if (parts.length === 2) return rest;
  const name = parts[1];
  if (typeof name !== "string" || reserved(name) || name === "__proto__") throw malformed("a disclosure has no name, or one that is kept for digests");
  return { ...rest, name };
}

/** Puts disclosures in their places. */
class Resolver {
  readonly #at = new Map<string, Disclosure>();
  readonly #seen = new Set<string>();
  readonly #used = new Set<Disclosure>();

  constructor(disclosures: readonly Disclosure[]) {
    for (const d of disclosures) {
      const hash = digest(d.encoded);
      if (this.#at.has(hash)) throw new Refusal("credential.duplicate_digest", "a disclosure is there twice; ask for the credential anew");
      this.#at.set(hash, d);
    }
  }

  resolve(payload: JsonObject): JsonObject {
    if ("_sd_alg" in payload && payload["_sd_alg"] !== "sha-256") throw new Refusal("credential.bad_algorithm", "its digests are by another hash than sha-256");
    const { _sd_alg: _, ...rest } = payload;
    const claims = this.#object(rest, [], undefined, 0);
    if (this.#used.size !== this.#at.size) throw new Refusal("credential.foreign_disclosure", "something is disclosed that the issuer's signature does not cover: it was added by somebody else");
    return claims;
  }

  #value(v: Json, path: Path, within: Disclosure | undefined, depth: number): Json {
    if (depth > maxDepth) throw tooLarge("objects and arrays nested too deep");
    if (Array.isArray(v)) return this.#array(v as readonly Json[], path, within, depth);
    return isObject(v) ? this.#object(v, path, within, depth) : v;
  }

  #object(o: JsonObject, path: Path, within: Disclosure | undefined, depth: number): JsonObject {
    const out: Record<string, Json> = {};
    for (const [name, v] of Object.entries(o)) {
      if (name === "_sd") continue;
      if (reserved(name)) throw malformed(`the name ${name} stands where it may not`);
      out[name] = this.#value(v, [...path, name], within, depth + 1);
    }
    const digests = o["_sd"];
    if (digests === undefined) return out;
    if (!Array.isArray(digests)) throw malformed("_sd is no array");
    for (const hash of digests as readonly Json[]) {
      const d = this.#meet(hash, within);
      if (!d) continue;
      if (d.name === undefined) throw malformed("an element of an array is disclosed where a claim with a name is due");
      if (Object.hasOwn(out, d.name)) throw new Refusal("credential.duplicate_claim", "a disclosure would replace a claim that is there already; the credential can be read in two ways");
      d.path = [...path, d.name];
      out[d.name] = this.#value(d.value, d.path, d, depth + 1);
    }
    return out;
  }

  #array(a: readonly Json[], path: Path, within: Disclosure | undefined, depth: number): Json[] {
    const out: Json[] = [];
    for (let v of a) {
      let inside = within;
      if (isObject(v) && "..." in v) {
        if (Object.keys(v).length !== 1) throw malformed("an element of an array has a digest and something else");
        const d = this.#meet(v["..."], within);
        if (!d) continue;
        if (d.name !== undefined) throw malformed("a claim with a name is disclosed where an element of an array is due");
        d.path = [...path, out.length];
        [v, inside] = [d.value, d];
      }
      out.push(this.#value(v, [...path, out.length], inside, depth + 1));
    }
    return out;
  }

  /** #meet notes a digest and finds its disclosure. */
  #meet(hash: Json | undefined, within: Disclosure | undefined): Disclosure | undefined {
    if (typeof hash !== "string") throw malformed("a digest is no text");
    if (this.#seen.has(hash)) throw new Refusal("credential.duplicate_digest", "a digest is in the credential twice: one disclosure would stand in two places");
    this.#seen.add(hash);
    const d = this.#at.get(hash);
    if (d) {
      this.#used.add(d);
      d.within = within;
    }
    return d;
  }
}

import type { PublicKey } from "../address.js";
import { Refusal } from "../refusal.js";
import { type Json, type JsonObject, isObject, malformed } from "./json.js";
import { type HolderKey, readJwk, sameKey } from "./jws.js";
import { type Id, parseId, parseList, parseSchema } from "./name.js";
import { type Path, type SdJwt, bind, parseSdJwt, select } from "./sdjwt.js";

/** Claims about the credential itself, which a holder must not be able to withhold and an issuer does not choose. */
const own = ["iss", "iat", "nbf", "exp", "cnf", "vct", "vct#integrity", "status", "aud", "nonce", "sd_hash"];

/** One thing that a credential says of its holder. */
export interface Field {
  /** How it is named to be shown, such as address.city. */
  readonly path: string;
  readonly value: Json;
  /** The holder may withhold it. */
  readonly hidden: boolean;
}

/** A credential or a presentation of one that was read and not verified. Times are in unix milliseconds. */
export interface Credential {
  readonly text: string;
  readonly token: SdJwt;
  readonly claims: JsonObject;
  readonly issuer: Id;
  /** The key in the header. Whether it is the issuer's is for the ledger to say. */
  readonly signer: PublicKey;
  /** The name on the issuer's ledger. */
  readonly schema: string;
  /** The key that has to sign presentations; undefined if it is bound to none. */
  readonly holder: PublicKey | undefined;
  readonly issued: number;
  readonly notBefore: number | undefined;
  readonly expires: number | undefined;
  /** Where its status is; undefined: it cannot be revoked. */
  readonly status: { readonly list: number; readonly index: number } | undefined;
  readonly fields: readonly Field[];
}

/** readCredential reads a credential and verifies nothing: for that, verifyCredential. Refused with credential.malformed, credential.too_large, credential.bad_name … */
export function readCredential(given: string): Credential {
  const text = given.trim();
  const token = parseSdJwt(text);
  const { claims } = token;
  for (const d of token.disclosures) {
    if (own.includes(String(d.path[0]))) throw malformed(`the claim ${d.path[0]} can be withheld, so whoever shows it could hide what it is`);
  }
  const issuer = parseId(claims["iss"]);
  const { network, schema } = parseSchema(claims["vct"]);
  if (network !== issuer.network) throw new Refusal("credential.wrong_network", "the credential's schema is of another ledger than its issuer");
  const cnf = claims["cnf"];
  return {
    text, token, claims, issuer, schema,
    signer: readJwk(token.issued.header["jwk"]),
    holder: isObject(cnf) ? readJwk(cnf["jwk"]) : undefined,
    issued: time(claims, "iat") ?? missing("iat"),
    notBefore: time(claims, "nbf"),
    expires: time(claims, "exp"),
    status: status(claims["status"], issuer),
    fields: fields(token),
  };
}

const missing = (name: string): never => {
  throw malformed(`it has no ${name}`);
};

/** time reads a NumericDate of whole seconds. */
export function time(claims: JsonObject, name: string): number | undefined {
  const v = claims[name];
  if (v === undefined) return undefined;
  if (typeof v !== "number" || !Number.isInteger(v) || v < 0 || v > 253402300799) throw malformed(`its ${name} is no time in whole seconds`);
  return v * 1000;
}

function status(v: Json | undefined, issuer: Id): Credential["status"] {
  if (v === undefined) return undefined;
  const entry = isObject(v) ? v["status_list"] : undefined;
  const index = isObject(entry) ? entry["idx"] : undefined;
  if (!isObject(entry) || typeof index !== "number" || !Number.isInteger(index) || index < 0 || index > 0xffffffff) throw malformed("its status is not as the Token Status List says");
  const named = parseList(entry["uri"]);
  if (named.issuer.account !== issuer.account || named.issuer.network !== issuer.network) {
    throw new Refusal("credential.other_list", "the credential's status is on a list of another account than its issuer's: the issuer could not revoke it");
  }
  return { list: named.list, index };
}

const at = (v: Json, path: Path): Json => path.reduce<Json>((inner, step) => (inner as Record<string | number, Json>)[step] ?? null, v);

/** fields lists what can be withheld by itself, and each member at the top that cannot, in order of their paths. */
function fields(token: SdJwt): Field[] {
  const hidden = new Map(token.disclosures.map((d) => [d.path.join("."), at(token.claims, d.path)]));
  const open = Object.entries(token.claims).filter(([name]) => !hidden.has(name) && !own.includes(name));
  return [...[...hidden].map(([path, value]) => ({ path, value, hidden: true })), ...open.map(([path, value]) => ({ path, value, hidden: false }))].sort((a, b) => (a.path < b.path ? -1 : 1));
}

/** What a presentation is for. */
export interface Audience {
  /** The verifier, by the name that it gives itself. */
  readonly audience: string;
  /** The verifier's random text. */
  readonly nonce: string;
}

/** present shows fields, and those around them, signed with the holder's key for one verifier and request. What cannot be withheld is shown too. */
export async function present(c: Credential, key: HolderKey, shown: readonly string[], to: Audience, now = Date.now()): Promise<string> {
  if (!c.holder) throw new Refusal("credential.not_bound", "the credential is bound to no key, so nobody can show that it is his; ask the issuer for one that is");
  if (!sameKey(c.holder, key.key)) throw new Refusal("credential.wrong_holder", "the credential is bound to another key than this; sign with the key that it was issued to");
  for (const path of shown) {
    if (!c.fields.some((f) => f.path === path)) throw new Refusal("credential.no_such_field", `the credential has no field ${path}`, { field: path });
  }
  return bind(select(c.token, (d) => shown.includes(d.path.join("."))), key, to.audience, to.nonce, now);
}

import { CompactEncrypt, type JWK, importJWK } from "jose";

import { toHex, utf8 } from "../bytes.js";
import type { Client } from "../client.js";
import { Refusal } from "../refusal.js";
import { present, time } from "./credential.js";
import { type Answer, type Query, parseQuery } from "./dcql.js";
import { type Json, type JsonObject, isObject, maxText, parseObject } from "./json.js";
import { type HolderKey, parseJws, readJwk, verifyJws } from "./jws.js";
import { actedFor } from "./ledger.js";
import { type Id, parseId } from "./name.js";

/** A request for a presentation that was read and, if it is signed, verified at a node. */
export interface PresentationRequest {
  /** The site's name, which the presentation is for. */
  readonly clientId: string;
  /** The account that signed the request; undefined: nobody did, and known is only where the answer goes. */
  readonly verifier: Id | undefined;
  /** Where the answer goes. */
  readonly responseUri: string;
  readonly nonce: string;
  readonly state: string | undefined;
  readonly query: Query;
  readonly encryption: { readonly key: JWK; readonly enc: string } | undefined;
}

const bad = (what: string) => new Refusal("presentation.bad_request", `this is no request as OpenID4VP says: ${what}`);
const unsupported = (what: string) => new Refusal("presentation.unsupported", `the request is for what this program does not do: ${what}`);
const mixedUp = (what: string) => new Refusal("presentation.mixed_up", `${what}; do not answer, somebody may have mixed them up`);

const did = "decentralized_identifier:";
const safe = /^[A-Za-z0-9._~-]{1,512}$/;

/** address wants https, or this machine for sites in the making. */
function address(text: unknown): string {
  try {
    const u = new URL(String(text));
    const here = u.protocol === "http:" && ["127.0.0.1", "localhost", "[::1]"].includes(u.hostname);
    if ((u.protocol === "https:" || here) && u.username === "" && u.password === "" && u.hash === "") return String(text);
  } catch {
    // refused below
  }
  throw new Refusal("presentation.bad_link", `${String(text).slice(0, 100)} is not an https address, so others could read or change what goes there`);
}

/** What may stand in for the world's: fetch, and the time in unix milliseconds. */
export interface Surroundings {
  readonly fetch?: typeof globalThis.fetch;
  readonly now?: number;
  readonly signal?: AbortSignal;
}

/**
 * fetchRequest reads the link of a site's page or QR code, fetches the request that it stands for and verifies at a node who signed it. The link's scheme and host
 * do not matter: openid4vp:// and a wallet's own https address are common. A browser lets a page fetch from another site only if that allows it (CORS), as
 * the handler of the Go package does.
 */
export async function fetchRequest(client: Client, link: string, around: Surroundings = {}): Promise<PresentationRequest> {
  if (link.length > maxText) throw new Refusal("presentation.too_large", `the link has more than ${maxText} bytes`);
  const [, search] = /^[A-Za-z][A-Za-z0-9+.-]*:[^?#]*\?([^#]*)$/.exec(link.trim()) ?? [];
  const values = new URLSearchParams(search ?? "");
  const names = [...values.keys()];
  if (new Set(names).size !== names.length) throw bad("a parameter is there twice");
  const clientId = values.get("client_id") ?? "";
  if (clientId === "") throw bad("it has no client_id");
  const [uri, object] = [values.get("request_uri"), values.get("request")];
  if (uri !== null && object !== null) throw bad("it has both a request and a request_uri");
  if (object !== null) return signed(client, clientId, object, undefined, around);
  if (uri === null) return unsigned(clientId, values);
  const method = values.get("request_uri_method") ?? "get";
  if (method !== "get" && method !== "post") throw bad("request_uri_method is neither get nor post");
  const walletNonce = method === "post" ? toHex(crypto.getRandomValues(new Uint8Array(16))) : undefined;
  const body = walletNonce === undefined ? undefined : new URLSearchParams({ wallet_nonce: walletNonce });
  return signed(client, clientId, (await ask(around, address(uri), method, body)).trim(), walletNonce, around);
}

function unsigned(clientId: string, values: URLSearchParams): PresentationRequest {
  if (!clientId.startsWith("redirect_uri:")) throw unsupported(`an unsigned request by ${clientId.slice(0, 60)}; without a signature only redirect_uri: can be taken`);
  const parsed = [...values].map(([name, text]): [string, Json] => [name, name === "dcql_query" || name === "client_metadata" ? parseObject(utf8(text)) : text]);
  const r = read(Object.fromEntries(parsed));
  if (r.responseUri !== clientId.slice("redirect_uri:".length)) throw mixedUp("the answer would go elsewhere than the site says that it is");
  return r;
}

/** signed verifies a request by the ledger: the key in its header must act for the account that it names. */
async function signed(client: Client, clientId: string, object: string, walletNonce: string | undefined, around: Surroundings): Promise<PresentationRequest> {
  if (!clientId.startsWith(did)) throw unsupported(`a signed request by ${clientId.slice(0, 60)}; accounts of a ledger (${did}did:dure:…) can be verified`);
  const verifier = parseId(clientId.slice(did.length));
  const jws = parseJws(object);
  const key = readJwk(jws.header["jwk"]);
  verifyJws(jws, key, "oauth-authz-req+jwt");
  const network = await client.network();
  if (verifier.network !== network) throw new Refusal("credential.wrong_network", `the site's account is on the ledger ${verifier.network}, and yours is ${network}`);
  const now = around.now ?? Date.now();
  if ((await actedFor(client, verifier.account, key, now, around.signal)) !== undefined) throw mixedUp("the request is signed by a key that the site's account has replaced");
  const claims = jws.payload;
  const r = read(claims);
  if (r.clientId !== clientId) throw mixedUp("the link says that another asks than the request itself");
  if (claims["aud"] !== "https://self-issued.me/v2") throw bad("the signed request is not for wallets (aud)");
  if (walletNonce !== undefined && claims["wallet_nonce"] !== walletNonce) throw mixedUp("the request was made for another wallet");
  const until = time(claims, "exp");
  if (until !== undefined && now >= until + 60_000) throw new Refusal("presentation.unknown_session", "the request's time is over; ask the site for a new one");
  return { ...r, verifier };
}

function read(p: JsonObject): PresentationRequest {
  if (p["response_type"] !== "vp_token") throw unsupported("response_type is not vp_token");
  for (const [name, why] of [["redirect_uri", "is not for direct_post"], ["transaction_data", "would be signed unseen"], ["scope", "is not dcql_query"]] as const) if (p[name] !== undefined) throw unsupported(`${name} ${why}`);
  const { nonce, state } = p;
  if (typeof nonce !== "string" || !safe.test(nonce)) throw bad("it has no nonce, or one with other characters than are allowed");
  if (state !== undefined && (typeof state !== "string" || !safe.test(state))) throw bad("its state has other characters than are allowed");
  const mode = p["response_mode"];
  if (mode !== "direct_post" && mode !== "direct_post.jwt") throw unsupported(`response_mode ${String(mode).slice(0, 40)}`);
  return {
    clientId: String(p["client_id"]), verifier: undefined, responseUri: address(p["response_uri"]), nonce, state, query: parseQuery(p["dcql_query"]),
    encryption: mode === "direct_post.jwt" ? encryption(p["client_metadata"]) : undefined,
  };
}

/** encryption picks the site's P-256 key for ECDH-ES, and AES-GCM (section 8.3). */
function encryption(metadata: Json | undefined): PresentationRequest["encryption"] {
  const m = isObject(metadata) ? metadata : {};
  const offered = m["encrypted_response_enc_values_supported"] ?? ["A128GCM"];
  const enc = ["A256GCM", "A128GCM"].find((v) => Array.isArray(offered) && (offered as readonly Json[]).includes(v)); // the first, as HAIP has it
  if (!enc) throw unsupported("an answer encrypted by other than A128GCM or A256GCM");
  const keys = isObject(m["jwks"]) && Array.isArray(m["jwks"]["keys"]) ? (m["jwks"]["keys"] as readonly Json[]) : [];
  const key = keys.find((k) => isObject(k) && k["kty"] === "EC" && k["crv"] === "P-256" && (k["use"] ?? "enc") === "enc" && (k["alg"] ?? "ECDH-ES") === "ECDH-ES");
  if (!isObject(key)) throw unsupported("an encrypted answer without a P-256 key for ECDH-ES in client_metadata");
  return { key: key as JWK, enc };
}

/**
 * answerRequest presents what was chosen, to the site that asked. It returns where the owner's browser goes on, undefined if nowhere. Refused with
 * presentation.rejected, with the site's reason, and presentation.unreachable.
 */
export async function answerRequest(r: PresentationRequest, chosen: readonly Answer[], key: HolderKey, around: Surroundings = {}): Promise<string | undefined> {
  const token: Record<string, string[]> = {};
  for (const a of chosen) (token[a.query] ??= []).push(await present(a.credential, key, a.disclose, { audience: r.clientId, nonce: r.nonce }, around.now));
  return send(r, { vp_token: token }, around);
}

/** refuseRequest tells the site that the owner does not agree. */
export const refuseRequest = (r: PresentationRequest, around: Surroundings = {}): Promise<string | undefined> =>
  send(r, { error: "access_denied", error_description: "the owner of the wallet does not agree" }, around);

async function send(r: PresentationRequest, answer: Record<string, Json | Record<string, string[]>>, around: Surroundings): Promise<string | undefined> {
  const full = r.state === undefined ? answer : { ...answer, state: r.state };
  const form = r.encryption
    ? { response: await seal(r.encryption, JSON.stringify(full)) }
    : Object.fromEntries(Object.entries(full).map(([name, v]) => [name, typeof v === "string" ? v : JSON.stringify(v)]));
  const reply = await ask(around, r.responseUri, "post", new URLSearchParams(form));
  try {
    const next = (JSON.parse(reply) as { redirect_uri?: unknown }).redirect_uri;
    if (typeof next === "string") address(next.split("#")[0]);
    return typeof next === "string" ? next : undefined;
  } catch {
    return undefined; // the answer was taken in any case
  }
}

async function seal(to: NonNullable<PresentationRequest["encryption"]>, text: string): Promise<string> {
  const { kid } = to.key;
  const jwe = new CompactEncrypt(utf8(text)).setProtectedHeader({ alg: "ECDH-ES", enc: to.enc, ...(kid === undefined ? {} : { kid }) });
  return jwe.encrypt(await importJWK(to.key, "ECDH-ES"));
}

/** ask asks a site and reads its reply. It follows no redirects: whom an answer goes to is what the owner was told. */
async function ask({ fetch = globalThis.fetch, signal }: Surroundings, uri: string, method: string, body?: URLSearchParams): Promise<string> {
  const site = new URL(uri).host;
  let res: Response, text: string;
  try {
    res = await fetch(uri, { method: method.toUpperCase(), redirect: "error", credentials: "omit", referrerPolicy: "no-referrer", signal: signal ?? AbortSignal.timeout(20_000), ...(body ? { body } : {}) });
    text = await res.text();
  } catch {
    throw new Refusal("presentation.unreachable", `the site ${site} does not answer, or does not let wallets in other pages ask it`, { site });
  }
  if (text.length > maxText) throw new Refusal("presentation.too_large", `the site sent more than ${maxText} bytes`);
  if (res.ok) return text;
  let why = `it answered with HTTP status ${res.status}`;
  try {
    why = (JSON.parse(text) as { error_description?: string }).error_description ?? why;
  } catch {
    // no reason given
  }
  throw new Refusal("presentation.rejected", `the site ${site} refuses: ${why.slice(0, 300)}`, { site });
}

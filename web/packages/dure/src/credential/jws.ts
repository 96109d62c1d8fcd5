import { ed25519 } from "@noble/curves/ed25519.js";
import { p256 } from "@noble/curves/nist.js";

import { type PublicKey, compressP256, keyAddress } from "../address.js";
import { type Bytes, concat, fromBase64url, toBase64url, utf8 } from "../bytes.js";
import { KeyKind } from "../gen/dure/account/v1/account_pb.js";
import { Refusal } from "../refusal.js";
import { type Json, type JsonObject, isObject, malformed, maxText, parseObject, tooLarge } from "./json.js";

/** A compact JWS that was read and not yet verified. */
export interface Jws {
  readonly text: string;
  readonly header: JsonObject;
  readonly payload: JsonObject;
}

/** decodePart reads a part of a JWS, or of an SD-JWT. */
export function decodePart(text: string): Bytes {
  const b = fromBase64url(text);
  if (!b) throw malformed("a part is not base64url");
  return b;
}

/** parseJws reads a compact JWS whose payload is an object. */
export function parseJws(text: string): Jws {
  if (text.length > maxText) throw tooLarge(`${text.length} bytes, more than ${maxText}`);
  const parts = text.split(".");
  if (parts.length !== 3) throw malformed("its first part is not three parts joined by points");
  const [header, payload] = parts.slice(0, 2).map((text) => parseObject(decodePart(text))) as [JsonObject, JsonObject];
  decodePart(parts[2] as string);
  if ("crit" in header) throw malformed("its header has crit, which asks for what this program does not know");
  return { text, header, payload };
}

/** verifyJws checks typ and signature. The key says which algorithm counts, never the header. */
export function verifyJws(jws: Jws, key: PublicKey, ...types: readonly string[]): void {
  const { typ, alg } = jws.header;
  if (!types.includes(String(typ))) throw new Refusal("credential.wrong_type", `it says that it is of type ${String(typ).slice(0, 60)}; ${types.join(" or ")} is wanted here`);
  const names = key.kind === KeyKind.P256 ? ["ES256"] : ["EdDSA", "Ed25519"];
  if (!names.includes(String(alg))) throw new Refusal("credential.bad_algorithm", `its header says that it is signed by ${String(alg).slice(0, 40)}, and the signer's key is for ${names[0]}: it was tampered with`);
  const end = jws.text.lastIndexOf(".");
  const signature = decodePart(jws.text.slice(end + 1));
  const message = utf8(jws.text.slice(0, end));
  let good = false;
  try {
    good = key.kind === KeyKind.P256 ? p256.verify(signature, message, key.bytes, { lowS: false }) : ed25519.verify(signature, message, key.bytes, { zip215: false });
  } catch {
    // a signature of another length
  }
  if (!good) throw new Refusal("credential.bad_signature", "the signature is not by the key that it should be by, over what is here: it is forged, or was altered");
}

const badJwk = (why: string) => new Refusal("key.malformed", `the JWK is no usable public key: ${why}`);

/** readJwk reads a public key: Ed25519 or P-256. */
export function readJwk(jwk: Json | undefined): PublicKey {
  if (!isObject(jwk)) throw badJwk("it is no object");
  if ("d" in jwk) throw badJwk("it has the private key in it, which must never be in a credential or a request");
  const part = (name: string): Bytes => {
    const b = decodePart(typeof jwk[name] === "string" ? jwk[name] : "");
    if (b.length !== 32) throw badJwk(`${name} has ${b.length} bytes`);
    return b;
  };
  if (jwk["kty"] === "OKP" && jwk["crv"] === "Ed25519") return { kind: KeyKind.ED25519, bytes: part("x") };
  if (jwk["kty"] !== "EC" || jwk["crv"] !== "P-256") throw badJwk("Ed25519 and P-256 keys are taken");
  try {
    return { kind: KeyKind.P256, bytes: compressP256(concat(Uint8Array.of(4), part("x"), part("y"))) };
  } catch {
    throw badJwk("its point is not on the curve");
  }
}

/** sameKey compares public keys. */
export const sameKey = (a: PublicKey, b: PublicKey): boolean => keyAddress(a) === keyAddress(b);

/** A holder's key, which credentials are issued to and which signs each presentation. */
export interface HolderKey {
  readonly key: PublicKey;
  readonly alg: "ES256" | "EdDSA";
  sign(message: Bytes): Promise<Bytes>;
}

/**
 * holderKey is a WebCrypto pair of P-256 or Ed25519, such as generateKey makes, for credentials. Let it be another than the account's key: whoever sees a
 * credential could look the account up. Give keyText(holder.key) to the issuer: dure credential issue --to p256:02…
 */
export async function holderKey(pair: CryptoKeyPair): Promise<HolderKey> {
  const raw = new Uint8Array(await crypto.subtle.exportKey("raw", pair.publicKey));
  switch (pair.privateKey.algorithm.name) {
    case "Ed25519":
      return { key: { kind: KeyKind.ED25519, bytes: raw }, alg: "EdDSA", sign: async (m) => new Uint8Array(await crypto.subtle.sign("Ed25519", pair.privateKey, m)) };
    case "ECDSA":
      return { key: { kind: KeyKind.P256, bytes: compressP256(raw) }, alg: "ES256", sign: async (m) => new Uint8Array(await crypto.subtle.sign({ name: "ECDSA", hash: "SHA-256" }, pair.privateKey, m)) };
  }
  throw new Refusal("key.unsupported", "want a key pair of Ed25519, or of ECDSA on P-256");
}

/** signJws makes a compact JWS. */
export async function signJws(key: HolderKey, typ: string, payload: JsonObject): Promise<string> {
  const input = [{ alg: key.alg, typ }, payload].map((part) => toBase64url(utf8(JSON.stringify(part)))).join(".");
  return `${input}.${toBase64url(await key.sign(utf8(input)))}`;
}

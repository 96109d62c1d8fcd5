// Other implementations of the standards: SD-JWT VC by @sd-jwt/sd-jwt-vc, OpenID4VP by @openid4vc/openid4vp, DCQL by dcql, with Node's cryptography and jose's
// encryption under them. What they do here, wallets and sites made with them do.
import { type KeyObject, createHash, createPrivateKey, createPublicKey, randomBytes, sign, verify } from "node:crypto";
import { setGlobalConfig } from "@openid4vc/oauth2";
import type { Openid4vpVerifier } from "@openid4vc/openid4vp";
import { SDJwtVcInstance } from "@sd-jwt/sd-jwt-vc";
import { CompactEncrypt, type JWK, compactDecrypt, importJWK } from "jose";

import { type Address, Client, KeyKind, keyAddress } from "@dureledger/dure";
import { secretSigner } from "@dureledger/dure/secret";

import { nodes, secret } from "./network.js";

// Sites in the making are at http://127.0.0.1.
setGlobalConfig({ allowInsecureUrls: true });

/** A key of the network's keystore, as these implementations take it. */
export interface Pair {
  readonly address: string;
  readonly jwk: JWK;
  readonly key: KeyObject;
}

/** pair reads an Ed25519 key of the network's keystore. */
export function pair(name: string): Pair {
  const d = Buffer.from(secret(name));
  // RFC 8410: an Ed25519 key in PKCS #8 is this and the secret.
  const key = createPrivateKey({ key: Buffer.concat([Buffer.from("302e020100300506032b657004220420", "hex"), d]), format: "der", type: "pkcs8" });
  return { key, jwk: createPublicKey(key).export({ format: "jwk" }) as JWK, address: keyAddress(secretSigner("ed25519", d).key) };
}

const signed = (jwk: JWK, data: string, signature: string): boolean =>
  verify(jwk.kty === "EC" ? "sha256" : null, Buffer.from(data), { key: createPublicKey({ key: jwk as never, format: "jwk" }), dsaEncoding: "ieee-p1363" }, Buffer.from(signature, "base64url"));

const decode = (part: string | undefined): Record<string, unknown> => JSON.parse(Buffer.from(part ?? "", "base64url").toString()) as Record<string, unknown>;

/**
 * keyOf is the key in a JWS's header, if the ledger says that it acts for the account that the header's kid names: what a verifier needs to know of Dure, in a
 * few lines (docs/credentials.md, Names and keys).
 */
export async function keyOf(jws: string): Promise<JWK> {
  const header = decode(jws.split(".")[0]) as { jwk: JWK; kid: string };
  const [did, address] = header.kid.split("#");
  const account = await new Client({ nodes }).account(did?.split(":").at(-1) as Address);
  const raw = Buffer.from(header.jwk.x ?? "", "base64url");
  if (account?.key !== address || keyAddress({ kind: KeyKind.ED25519, bytes: new Uint8Array(raw) }) !== address) throw new Error("the key in the header does not act for the account");
  return header.jwk;
}

/** issuer issues as a firm that uses @sd-jwt/sd-jwt-vc, with its account's key. */
export const issuer = (of: Pair): SDJwtVcInstance =>
  new SDJwtVcInstance({ signer: (data) => sign(null, Buffer.from(data), of.key).toString("base64url"), signAlg: "EdDSA", hasher, hashAlg: "sha-256", saltGenerator: (n) => randomBytes(n).toString("base64url") });

/** holder is a wallet with a credential's holder key. */
export const holder = (of: Pair): SDJwtVcInstance =>
  new SDJwtVcInstance({ kbSigner: (data) => sign(null, Buffer.from(data), of.key).toString("base64url"), kbSignAlg: "EdDSA", hasher, hashAlg: "sha-256" });

/** checker verifies credentials signed by a key, with the issuer's Status List Token if it has one. */
export const checker = (key: JWK, token?: string): SDJwtVcInstance =>
  new SDJwtVcInstance({
    hasher,
    verifier: (data, signature) => signed(key, data, signature),
    kbVerifier: (data, signature, payload) => signed((payload.cnf as { jwk: JWK }).jwk, data, signature),
    statusVerifier: (data, signature) => signed(key, data, signature),
    ...(token === undefined ? {} : { statusListFetcher: async () => token }),
  });

function hasher(data: string | ArrayBuffer): Uint8Array {
  return createHash("sha256").update(typeof data === "string" ? data : new Uint8Array(data)).digest();
}

/** callbacks are the cryptography of a site or wallet; me signs, and opens decrypts. */
export function callbacks(me?: Pair, opens?: JWK): ConstructorParameters<typeof Openid4vpVerifier>[0]["callbacks"] {
  return {
    hash: (data) => createHash("sha256").update(data).digest(),
    verifyJwt: async (_, { compact }) => {
      const key = await keyOf(compact);
      const [header, payload, signature] = compact.split(".");
      return { verified: signed(key, `${header}.${payload}`, signature ?? ""), signerJwk: key as never };
    },
    signJwt: (_, { header, payload }) => {
      if (!me) throw new Error("nobody signs here");
      const input = [{ ...header, jwk: me.jwk }, payload].map((part) => Buffer.from(JSON.stringify(part)).toString("base64url")).join(".");
      return { jwt: `${input}.${sign(null, Buffer.from(input), me.key).toString("base64url")}`, signerJwk: me.jwk as never };
    },
    encryptJwe: async (to, data) => {
      if (to.method !== "jwk") throw new Error("no key to encrypt to");
      const sealed = new CompactEncrypt(Buffer.from(data)).setProtectedHeader({ alg: to.alg, enc: to.enc, kid: to.publicJwk.kid as string, ...(to.apv ? { apv: to.apv } : {}) });
      return { jwe: await sealed.encrypt(await importJWK(to.publicJwk as JWK, to.alg)), encryptionJwk: to.publicJwk };
    },
    decryptJwe: async (jwe) => {
      if (!opens) return { decrypted: false };
      const { plaintext } = await compactDecrypt(jwe, await importJWK(opens, "ECDH-ES"));
      return { decrypted: true, payload: new TextDecoder().decode(plaintext), decryptionJwk: opens as never };
    },
  };
}

import { p256 } from "@noble/curves/nist.js";
import { secp256k1 } from "@noble/curves/secp256k1.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { keccak_256 } from "@noble/hashes/sha3.js";

import { type Bytes, concat, fromHex, own, toHex, utf8 } from "./bytes.js";
import { KeyKind } from "./gen/dure/account/v1/account_pb.js";
import { Refusal } from "./refusal.js";

/** An address as people see it: 0x and 40 hex digits with the capitals of EIP-55. */
export type Address = `0x${string}`;

/** A public key: 32 bytes for Ed25519, 33 (SEC 1 compressed) for P-256, passkeys and secp256k1, 1952 for ML-DSA-65. */
export interface PublicKey {
  readonly kind: KeyKind;
  readonly bytes: Bytes;
}

/** The names of kinds of key, as `dure key export --public` and the API write them. */
export const kindNames: Readonly<Record<number, string>> = {
  [KeyKind.ED25519]: "ed25519",
  [KeyKind.P256]: "p256",
  [KeyKind.WEBAUTHN]: "webauthn",
  [KeyKind.SECP256K1]: "secp256k1",
  [KeyKind.ML_DSA_65]: "ml-dsa-65",
};

/** formatAddress shows the 20 bytes of an address. */
export function formatAddress(bytes: Uint8Array): Address {
  if (bytes.length !== 20) throw new Refusal("address.malformed", "an address has 20 bytes", { bytes: String(bytes.length) });
  const hex = toHex(bytes);
  const sum = toHex(keccak_256(utf8(hex)));
  const capitals = [...hex].map((c, i) => (parseInt(sum[i] as string, 16) >= 8 ? c.toUpperCase() : c));
  return `0x${capitals.join("")}`;
}

/**
 * parseAddress reads an address. Digits all in small letters or all in capitals are taken as they are; mixed ones must have the right
 * capitals, which finds mistakes of typing. Refused with address.malformed.
 */
export function parseAddress(text: string): Bytes {
  if (!/^0x[0-9a-fA-F]{40}$/.test(text)) {
    throw new Refusal("address.malformed", "an address is 0x and 40 hex digits");
  }
  const digits = text.slice(2);
  const bytes = fromHex(digits);
  if (digits !== digits.toLowerCase() && digits !== digits.toUpperCase() && formatAddress(bytes) !== text) {
    throw new Refusal("address.malformed", "the address has a mistake: its capital letters do not fit its digits");
  }
  return bytes;
}

/** keyAddress is the address of the account that a key opens, see docs/transaction.md. */
export function keyAddress(key: PublicKey): Address {
  if (key.kind === KeyKind.SECP256K1) {
    const point = secp256k1.Point.fromBytes(key.bytes).toBytes(false);
    return formatAddress(keccak_256(point.slice(1)).slice(-20));
  }
  return formatAddress(sha256(concat(utf8("dure/key/v1\n"), Uint8Array.of(key.kind), key.bytes)).slice(-20));
}

/** keyText is a public key as KIND:HEX, which a sponsor needs to open its account: dure account open KIND:HEX --sponsor … */
export function keyText(key: PublicKey): string {
  return `${kindNames[key.kind]}:${toHex(key.bytes)}`;
}

/** compressP256 turns a P-256 point of 65 bytes into 33. */
export function compressP256(point: Uint8Array): Bytes {
  return own(p256.Point.fromBytes(point).toBytes(true));
}

import { bytesToHex, hexToBytes } from "@noble/hashes/utils.js";
import { base64Decode, base64Encode } from "@bufbuild/protobuf/wire";

/** Bytes that WebCrypto and fetch take: not in memory shared with workers. */
export type Bytes = Uint8Array<ArrayBuffer>;

export const toHex = bytesToHex;

/** fromHex reads hex digits of any case, without 0x. */
export function fromHex(text: string): Bytes {
  return own(hexToBytes(text));
}

/** own copies bytes into memory of their own. */
export function own(b: Uint8Array): Bytes {
  return new Uint8Array(b);
}

export function concat(...parts: readonly Uint8Array[]): Bytes {
  const out = new Uint8Array(parts.reduce((n, p) => n + p.length, 0));
  let at = 0;
  for (const p of parts) {
    out.set(p, at);
    at += p.length;
  }
  return out;
}

export function equal(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((v, i) => v === b[i]);
}

/** compare orders bytes as bytes.Compare in Go does. */
export function compare(a: Uint8Array, b: Uint8Array): number {
  for (let i = 0; i < Math.min(a.length, b.length); i++) {
    const d = (a[i] as number) - (b[i] as number);
    if (d !== 0) return d;
  }
  return a.length - b.length;
}

export const utf8 = (text: string): Bytes => own(new TextEncoder().encode(text));

/** be64 is a number below 2^64 in 8 bytes, big-endian. */
export function be64(v: bigint): Bytes {
  const out = new Uint8Array(8);
  new DataView(out.buffer).setBigUint64(0, v);
  return out;
}

/** Base64 of the standard alphabet, padded. */
export const toBase64 = (b: Uint8Array): string => base64Encode(b, "std");

/** fromBase64 reads base64 in the one form that toBase64 writes; undefined for any other. */
export function fromBase64(text: string): Bytes | undefined {
  try {
    const b = base64Decode(text);
    return toBase64(b) === text ? own(b) : undefined;
  } catch {
    return undefined;
  }
}

/** Base64url without padding, as WebAuthn writes challenges. */
export const toBase64url = (b: Uint8Array): string => base64Encode(b, "url");

/** fromBase64url reads base64url in the one form that toBase64url writes; undefined for any other. */
export function fromBase64url(text: string): Bytes | undefined {
  try {
    const b = base64Decode(text);
    return toBase64url(b) === text ? own(b) : undefined;
  } catch {
    return undefined;
  }
}

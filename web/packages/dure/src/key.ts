import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { p256 } from "@noble/curves/nist.js";

import { type PublicKey, compressP256 } from "./address.js";
import { type Bytes, own } from "./bytes.js";
import { KeyKind } from "./gen/dure/account/v1/account_pb.js";
import { type Witness, WitnessSchema } from "./gen/dure/tx/v1/tx_pb.js";
import { Refusal } from "./refusal.js";

/** What a key signs. */
export interface ToSign {
  /** "dure/tx/v1\n", network id, "\n" and the body. */
  readonly preimage: Bytes;
  /** SHA-256 of it: the id of the transaction. */
  readonly digest: Bytes;
}

/** Makes witnesses with one key: a CryptoKey's, a passkey's, or the secret's in @dureledger/dure/secret. */
export interface Signer {
  readonly key: PublicKey;
  sign(what: ToSign): Promise<Witness>;
}

/** witness makes a witness of a key. */
export function witness(key: PublicKey, rest: MessageInitShape<typeof WitnessSchema>): Witness {
  return create(WitnessSchema, { kind: key.kind, publicKey: key.bytes, ...rest });
}

/** Half the order of P-256: signatures have an s no higher. */
const half = p256.Point.Fn.ORDER >> 1n;

/** lowP256 makes the s of a signature r ‖ s of P-256 low, as the ledger wants it. */
export function lowP256(signature: Uint8Array): Bytes {
  const { r, s } = p256.Signature.fromBytes(signature, "compact");
  return own(new p256.Signature(r, s > half ? p256.Point.Fn.ORDER - s : s).toBytes("compact"));
}

/** compactP256 turns the DER signature of an authenticator into r ‖ s with a low s. */
export function compactP256(der: Uint8Array): Bytes {
  return lowP256(p256.Signature.fromBytes(der, "der").toBytes("compact"));
}

/**
 * generateKey makes a key in WebCrypto that cannot be read out, not even by the page: keep it in IndexedDB, which stores the pair as it
 * is. P-256 is everywhere; Ed25519 in browsers since 2025 and in Node.
 */
export async function generateKey(kind: "p256" | "ed25519" = "p256"): Promise<CryptoKeyPair> {
  const algorithm = kind === "p256" ? { name: "ECDSA", namedCurve: "P-256" } : { name: "Ed25519" };
  return (await crypto.subtle.generateKey(algorithm, false, ["sign", "verify"])) as CryptoKeyPair;
}

/** cryptoSigner signs with a WebCrypto key pair of P-256 or Ed25519. Refused with key.unsupported if it is of another kind. */
export async function cryptoSigner(pair: CryptoKeyPair): Promise<Signer> {
  const raw = new Uint8Array(await crypto.subtle.exportKey("raw", pair.publicKey));
  switch (pair.privateKey.algorithm.name) {
    case "Ed25519": {
      const key = { kind: KeyKind.ED25519, bytes: raw };
      return {
        key,
        sign: async ({ digest }) =>
          witness(key, { signature: new Uint8Array(await crypto.subtle.sign("Ed25519", pair.privateKey, digest)) }),
      };
    }
    case "ECDSA": {
      const key = { kind: KeyKind.P256, bytes: compressP256(raw) };
      return {
        key,
        // WebCrypto hashes what it signs, and the ledger's digest is the SHA-256 of the preimage.
        sign: async ({ preimage }) => {
          const signature = await crypto.subtle.sign({ name: "ECDSA", hash: "SHA-256" }, pair.privateKey, preimage);
          return witness(key, { signature: lowP256(new Uint8Array(signature)) });
        },
      };
    }
  }
  throw new Refusal("key.unsupported", "want a key pair of Ed25519, or of ECDSA on P-256");
}

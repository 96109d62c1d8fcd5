import { fromBinary } from "@bufbuild/protobuf";
import { ed25519 } from "@noble/curves/ed25519.js";
import { p256 } from "@noble/curves/nist.js";
import { secp256k1 } from "@noble/curves/secp256k1.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { ml_dsa65 } from "@noble/post-quantum/ml-dsa.js";

import { concat, toBase64url } from "./bytes.js";
import { KeyKind } from "./gen/dure/account/v1/account_pb.js";
import { TransactionSchema, type Witness } from "./gen/dure/tx/v1/tx_pb.js";
import { Refusal } from "./refusal.js";
import { toSign } from "./transaction.js";

/** Flags of authenticator data that the ledger asks for: the user was present, and has proven who they are. */
const present = 1 << 0;
const verified = 1 << 2;

/**
 * verifySignatures checks every signature of a transaction as the ledger does, and that there is one. Whether a passkey's page is one of the
 * network's, and whether the keys act for anybody, the ledger says; and it decides on Ed25519 signatures whose point is in a second encoding, which no
 * honest software makes. Refused with tx.malformed or tx.bad_signature.
 */
export function verifySignatures(network: string, raw: Uint8Array): void {
  let native;
  try {
    const { kind } = fromBinary(TransactionSchema, raw);
    native = kind.case === "native" ? kind.value : undefined;
  } catch {
    // told below
  }
  if (!native) throw new Refusal("tx.malformed", "this is no transaction of the ledger");
  const { digest } = toSign(network, native.body);
  if (native.witnesses.length === 0 || !native.witnesses.every((w) => verifyWitness(w, digest))) {
    throw new Refusal("tx.bad_signature", "a signature is not by its key over this transaction; ask for it again");
  }
}

/** verifyWitness says whether a signature is by its key over a digest. */
function verifyWitness(w: Witness, digest: Uint8Array): boolean {
  try {
    switch (w.kind) {
      case KeyKind.ED25519:
        return ed25519.verify(w.signature, digest, w.publicKey, { zip215: true });
      case KeyKind.P256:
        return p256.verify(w.signature, digest, w.publicKey, { prehash: false, lowS: true });
      case KeyKind.SECP256K1:
        return secp256k1.verify(w.signature, digest, w.publicKey, { prehash: false, lowS: true });
      case KeyKind.ML_DSA_65:
        return ml_dsa65.verify(w.signature, digest, w.publicKey);
      case KeyKind.WEBAUTHN:
        return isAssertion(w, digest) && p256.verify(w.signature, sha256(concat(w.authenticatorData, sha256(w.clientDataJson))), w.publicKey, { prehash: false, lowS: true });
    }
  } catch {
    // a key or signature in no encoding of its kind
  }
  return false;
}

/** isAssertion says whether a passkey was asked for this digest, and its user has touched it and proven who they are. */
function isAssertion(w: Witness, digest: Uint8Array): boolean {
  const client = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(w.clientDataJson)) as { type?: unknown; challenge?: unknown };
  const flags = w.authenticatorData[32] ?? 0;
  return client.type === "webauthn.get" && client.challenge === toBase64url(digest) && (flags & present) !== 0 && (flags & verified) !== 0;
}

/**
 * Signers of keys whose secret the program holds: for servers, tests and the command line. In a browser use generateKey or a passkey, whose
 * secrets no script can read.
 *
 * @module
 */
import { ed25519 } from "@noble/curves/ed25519.js";
import { p256 } from "@noble/curves/nist.js";
import { secp256k1 } from "@noble/curves/secp256k1.js";
import { ml_dsa65 } from "@noble/post-quantum/ml-dsa.js";

import { own } from "./bytes.js";
import { KeyKind } from "./gen/dure/account/v1/account_pb.js";
import { type Signer, witness } from "./key.js";
import { Refusal } from "./refusal.js";

/**
 * secretSigner signs with a secret of 32 bytes, as `dure key export --plain` gives it: an Ed25519 or ML-DSA-65 seed, or a scalar, big-endian.
 * ML-DSA-65 signs deterministically (FIPS 204, pure, empty context), as in Go.
 * Refused with key.malformed if it is none.
 */
export function secretSigner(kind: "ed25519" | "p256" | "secp256k1" | "ml-dsa-65", secret: Uint8Array): Signer {
  try {
    if (kind === "ed25519") {
      const key = { kind: KeyKind.ED25519, bytes: own(ed25519.getPublicKey(secret)) };
      return { key, sign: async ({ digest }) => witness(key, { signature: own(ed25519.sign(digest, secret)) }) };
    }
    if (kind === "ml-dsa-65") {
      const { publicKey, secretKey } = ml_dsa65.keygen(secret);
      const key = { kind: KeyKind.ML_DSA_65, bytes: own(publicKey) };
      return { key, sign: async ({ digest }) => witness(key, { signature: own(ml_dsa65.sign(digest, secretKey, { extraEntropy: false })) }) };
    }
    const curve = kind === "p256" ? p256 : secp256k1;
    const key = { kind: kind === "p256" ? KeyKind.P256 : KeyKind.SECP256K1, bytes: own(curve.getPublicKey(secret, true)) };
    return { key, sign: async ({ digest }) => witness(key, { signature: own(curve.sign(digest, secret, { prehash: false, lowS: true })) }) };
  } catch {
    throw new Refusal("key.malformed", "the secret is not one of this kind of key: want 32 bytes");
  }
}

import { p256 } from "@noble/curves/nist.js";
import { sha256 } from "@noble/hashes/sha2.js";

import { type Address, type PublicKey, compressP256, formatAddress, parseAddress } from "./address.js";
import { type Bytes, concat, own } from "./bytes.js";
import { KeyKind } from "./gen/dure/account/v1/account_pb.js";
import { type Signer, compactP256, witness } from "./key.js";
import { Refusal } from "./refusal.js";

/** A passkey as a page remembers it. Nothing in it is secret. */
export interface Passkey {
  /** The relying party: a parameter of the network. */
  readonly rpId: string;
  readonly credentialId: Bytes;
  readonly key: PublicKey;
}

/** A passkey that a person has chosen, and the account that it was made for when it was added to one. */
export interface FoundPasskey extends Passkey {
  readonly account?: Address;
}

/** ES256 in the registry of COSE algorithms. */
const es256 = -7;

/** Of the user handle of a passkey that was made for an account, in bytes: its address. */
const addressSize = 20;

/** A SubjectPublicKeyInfo of P-256 is 26 bytes that are always the same and the point. */
const spkiLength = 91;
const spkiHead = 26;

/**
 * createPasskey has the person make a passkey on this device or another: fingerprint, face or PIN, which the ledger wants at each payment. The
 * name is what their device shows them in its list; it is sent nowhere. With an account the passkey is made for that one, so that it is found by
 * it: give the passkeys that it has in `beside`, for an authenticator keeps one for each account. Ends as navigator.credentials.create does
 * when they decline (InvalidStateError: the authenticator has one of those), and is refused with key.unsupported if it makes no P-256 keys.
 */
export async function createPasskey(options: { rpId: string; rpName: string; name: string; account?: Address; beside?: readonly Passkey[] }): Promise<Passkey> {
  const credential = (await navigator.credentials.create({
    publicKey: {
      rp: { id: options.rpId, name: options.rpName },
      user: { id: options.account ? parseAddress(options.account) : crypto.getRandomValues(new Uint8Array(16)), name: options.name, displayName: options.name },
      // Nobody checks the attestation: what counts is the key, whoever made it.
      challenge: crypto.getRandomValues(new Uint8Array(32)),
      pubKeyCredParams: [{ type: "public-key", alg: es256 }],
      excludeCredentials: (options.beside ?? []).map((p) => ({ type: "public-key", id: p.credentialId })),
      // One that is made for an account is found by it only if the authenticator lists it.
      authenticatorSelection: { residentKey: options.account ? "required" : "preferred", userVerification: "required" },
      attestation: "none",
    },
  })) as PublicKeyCredential | null;
  const response = credential?.response as AuthenticatorAttestationResponse | undefined;
  const spki = response?.getPublicKey();
  if (!credential || !spki || response?.getPublicKeyAlgorithm() !== es256 || spki.byteLength !== spkiLength) {
    throw new Refusal("key.unsupported", "this authenticator makes no keys that the ledger takes (ES256); use another");
  }
  const bytes = compressP256(new Uint8Array(spki, spkiHead));
  return { rpId: options.rpId, credentialId: new Uint8Array(credential.rawId), key: { kind: KeyKind.WEBAUTHN, bytes } };
}

/**
 * findPasskey has the person choose a passkey that they made before, perhaps on another device that their passkeys are copied from. An
 * authenticator does not tell the public key again, but a signature fits only a few: those are returned, and the ledger knows which of them acts for
 * an account: the one that they were made for, or that of the key itself.
 */
export async function findPasskey(rpId: string): Promise<FoundPasskey[]> {
  const { credentialId, response } = await assert({ rpId, challenge: crypto.getRandomValues(new Uint8Array(32)) });
  const signed = sha256(concat(new Uint8Array(response.authenticatorData), sha256(new Uint8Array(response.clientDataJSON))));
  const handle = new Uint8Array(response.userHandle ?? []);
  const account = handle.length === addressSize ? formatAddress(handle) : undefined;
  return p256Keys(new Uint8Array(response.signature), signed).map((bytes) => ({ rpId, credentialId, key: { kind: KeyKind.WEBAUTHN, bytes }, ...(account && { account }) }));
}

/** p256Keys are the public keys that a DER signature of a hash fits (SEC 1, 4.1.6). */
export function p256Keys(der: Uint8Array, hash: Uint8Array): Bytes[] {
  const { r, s } = p256.Signature.fromBytes(der, "der");
  return [0, 1].flatMap((recovery) => {
    try {
      return [own(new p256.Signature(r, s, recovery).recoverPublicKey(hash).toBytes(true))];
    } catch {
      return []; // no point of the curve has this coordinate
    }
  });
}

/** passkeySigner signs with a passkey: the person is asked each time, and the challenge is the digest of what they sign. */
export function passkeySigner(passkey: Passkey): Signer {
  return {
    key: passkey.key,
    sign: async ({ digest }) => {
      const { response } = await assert({ rpId: passkey.rpId, challenge: digest, allowCredentials: [{ type: "public-key", id: passkey.credentialId }] });
      return witness(passkey.key, {
        signature: compactP256(new Uint8Array(response.signature)),
        authenticatorData: own(new Uint8Array(response.authenticatorData)),
        clientDataJson: own(new Uint8Array(response.clientDataJSON)),
      });
    },
  };
}

async function assert(options: PublicKeyCredentialRequestOptions): Promise<{ credentialId: Bytes; response: AuthenticatorAssertionResponse }> {
  const credential = (await navigator.credentials.get({ publicKey: { ...options, userVerification: "required" } })) as PublicKeyCredential | null;
  if (!credential) throw new Refusal("key.declined", "nothing was signed");
  return { credentialId: new Uint8Array(credential.rawId), response: credential.response as AuthenticatorAssertionResponse };
}

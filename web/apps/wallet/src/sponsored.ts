import { type Address, KeyKind, type PublicKey, decodeTransaction, formatAddress, fromBase64url } from "@dureledger/dure";

/** A recovery that a member has signed as the sponsor, for the new passkey to sign. */
export interface Sponsored {
  readonly raw: Uint8Array<ArrayBuffer>;
  readonly account: Address;
  readonly sponsor: Address;
  /** The new passkey. */
  readonly key: PublicKey;
  readonly credentialId: Uint8Array<ArrayBuffer>;
}

/**
 * readSponsored reads what a provider puts after # in the address: "sponsored", the transaction and the passkey's id. Undefined if that is anything
 * but the recovery of one account to a passkey, or too old: this page signs nothing else.
 */
export function readSponsored(place: string, now: number): Sponsored | undefined {
  const [name, transaction, credential, ...more] = place.split("/");
  const raw = bytes(transaction);
  const credentialId = bytes(credential);
  if (name !== "sponsored" || !raw || !credentialId || more.length > 0) return undefined;
  try {
    const body = decodeTransaction(raw);
    const [action, ...others] = body.actions;
    if (action?.call.case !== "accountRecover" || others.length > 0 || Number(body.notAfter) <= now) return undefined;
    const { account, kind, publicKey } = action.call.value;
    if (kind !== KeyKind.WEBAUTHN) return undefined;
    return { raw, account: formatAddress(account), sponsor: formatAddress(action.actor), key: { kind, bytes: new Uint8Array(publicKey) }, credentialId };
  } catch {
    return undefined; // no transaction
  }
}

/** bytes reads base64url, at most 16 KiB. */
function bytes(text: string | undefined): Uint8Array<ArrayBuffer> | undefined {
  return text && text.length <= 16_384 ? fromBase64url(text) : undefined;
}

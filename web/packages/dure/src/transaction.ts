import { create, fromBinary, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { sha256 } from "@noble/hashes/sha2.js";

import { type Address, type PublicKey, keyAddress, parseAddress } from "./address.js";
import { type Bytes, concat, equal, fromHex, own, toBase64, toHex, utf8 } from "./bytes.js";
import { type Action, ActionSchema, type Body, BodySchema, type Native, TransactionSchema, WitnessSchema } from "./gen/dure/tx/v1/tx_pb.js";
import type { Signer, ToSign } from "./key.js";
import { Refusal } from "./refusal.js";

/** How long after signing a transaction without `once` may be ordered, in milliseconds, unless said otherwise. */
export const defaultValidity = 60_000;

/** A transaction that is not signed yet. */
export interface Draft {
  readonly actions: readonly Action[];
  /** Milliseconds from signing for which it may be ordered: at most two minutes, or 30 days with `once`, unless the network has other windows. */
  readonly validity?: number;
  /** The last block time in which it may be ordered, unix milliseconds; instead of validity. It is then signed at most once. */
  readonly notAfter?: number;
  /** 32 bytes that the actor of the first action uses up: the ledger takes them once, for good. SHA-256 of an invoice's number, say. */
  readonly once?: Uint8Array;
  /** Makes ids differ; without it each signing draws a new one. */
  readonly salt?: bigint;
}

/** A transaction ready to submit. The same bytes always have the same outcome. */
export interface Signed {
  /** The serialised dure.tx.v1.Transaction. */
  readonly raw: Bytes;
  /** 64 hex digits. */
  readonly id: string;
  /** The last block time in which it may be ordered, unix milliseconds. */
  readonly notAfter: number;
}

type Call = NonNullable<MessageInitShape<typeof ActionSchema>["call"]>;

/** action makes any action of an account; the functions below make the usual ones. */
export function action(actor: Address, call: Call): Action {
  return create(ActionSchema, { actor: parseAddress(actor), call });
}

/** transfer moves units from an account. Amount is in smallest units: see parseUnits. Memo and reference are public. */
export function transfer(p: { asset: string; from: Address; to: Address; amount: string; memo?: string; reference?: string }): Action {
  return action(p.from, {
    case: "assetTransfer",
    value: { asset: p.asset, to: parseAddress(p.to), amount: p.amount, memo: p.memo ?? "", reference: p.reference ?? "" },
  });
}

/** openAccount opens the account of a key; the sponsor, a member, signs. */
export function openAccount(p: { sponsor: Address; key: PublicKey }): Action {
  return action(p.sponsor, { case: "accountOpen", value: { kind: p.key.kind, publicKey: p.key.bytes } });
}

/** rotateKey replaces the key that acts for an account; both keys sign. */
export function rotateKey(p: { account: Address; to: PublicKey }): Action {
  return action(p.account, { case: "accountRotateKey", value: { kind: p.to.kind, publicKey: p.to.bytes } });
}

/** shortNetwork is the 16 bytes of a network id that transactions carry. */
export function shortNetwork(network: string): Bytes {
  if (!/^.+-[0-9a-f]{32}$/.test(network)) throw new Refusal("tx.wrong_network", `network id "${network}": want name-hash`);
  return fromHex(network.slice(-32));
}

/** toSign is what the keys of a body sign, see docs/transaction.md. */
export function toSign(network: string, body: Uint8Array): ToSign {
  const preimage = concat(utf8(`dure/tx/v1\n${network}\n`), body);
  return { preimage, digest: own(sha256(preimage)) };
}

/** serialiseBody makes the bytes of a body that are signed: the one encoding of docs/transaction.md. */
export function serialiseBody(network: string, d: Draft, now: number): { body: Bytes; notAfter: number } {
  if (d.actions.length < 1 || d.actions.length > 100) throw new Refusal("tx.no_action", "a transaction has 1 to 100 actions");
  if (d.once && d.once.length !== 32) throw new Refusal("tx.malformed", "once has 32 bytes: take SHA-256 of what must happen once");
  const notAfter = Math.floor(d.notAfter ?? now + (d.validity ?? defaultValidity));
  const salt = d.salt ?? new DataView(crypto.getRandomValues(new Uint8Array(8)).buffer).getBigUint64(0);
  const message = create(BodySchema, {
    network: shortNetwork(network), notAfter: BigInt(notAfter), salt, once: d.once ? own(d.once) : new Uint8Array(), actions: [...d.actions],
  });
  return { body: own(toBinary(BodySchema, message)), notAfter };
}

/** sign makes a transaction of a draft, signed by every key that it needs, as of a time in unix milliseconds. */
export async function sign(network: string, draft: Draft, signers: readonly Signer[], now = Date.now()): Promise<Signed> {
  const { body, notAfter } = serialiseBody(network, draft, now);
  const what = toSign(network, body);
  const witnesses = [];
  for (const s of signers) witnesses.push(await s.sign(what)); // one after the other: a person can answer one question at a time
  const message = create(TransactionSchema, { kind: { case: "native", value: { body, witnesses } } });
  return { raw: own(toBinary(TransactionSchema, message)), id: toHex(what.digest), notAfter };
}

/**
 * countersign adds signatures to a transaction that others have signed a part of. Look at it first: decodeTransaction says what it does.
 * Refused with tx.malformed or tx.wrong_network.
 */
export async function countersign(network: string, raw: Uint8Array, signers: readonly Signer[]): Promise<Signed> {
  const body = decodeTransaction(raw);
  if (!equal(body.network, shortNetwork(network))) throw new Refusal("tx.wrong_network", "this transaction is for another network");
  const { kind } = fromBinary(TransactionSchema, raw);
  const native = kind.value as Native;
  const what = toSign(network, native.body);
  const witnesses = [...native.witnesses];
  for (const s of signers) witnesses.push(await s.sign(what));
  const message = create(TransactionSchema, { kind: { case: "native", value: { body: native.body, witnesses } } });
  return { raw: own(toBinary(TransactionSchema, message)), id: toHex(what.digest), notAfter: Number(body.notAfter) };
}

/** agreementFile writes a transaction that some have signed as a file for `dure agree`, with which the others look at it, sign and submit it. */
export function agreementFile(network: string, raw: Uint8Array): string {
  const body = decodeTransaction(raw);
  const native = fromBinary(TransactionSchema, raw).kind.value as Native;
  return JSON.stringify(
    {
      format: "dure-agreement-1", network, id: toHex(toSign(network, native.body).digest), validUntil: new Date(Number(body.notAfter)).toISOString(), summary: [],
      body: toBase64(native.body),
      signatures: native.witnesses.map((w) => ({ key: keyAddress({ kind: w.kind, bytes: own(w.publicKey) }), witness: toBase64(toBinary(WitnessSchema, w)) })),
    },
    undefined, 2,
  );
}

/** decodeTransaction reads the body of a transaction, such as a receipt's that holds. Refused with tx.malformed. */
export function decodeTransaction(raw: Uint8Array): Body {
  try {
    const { kind } = fromBinary(TransactionSchema, raw);
    if (kind.case === "native") return fromBinary(BodySchema, kind.value.body);
  } catch {
    // told below
  }
  throw new Refusal("tx.malformed", "this is no transaction of the ledger");
}

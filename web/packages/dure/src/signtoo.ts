import { create, fromBinary, toBinary } from "@bufbuild/protobuf";

import { equal, own, toHex } from "./bytes.js";
import { type Native, TransactionSchema } from "./gen/dure/tx/v1/tx_pb.js";
import type { Signer } from "./key.js";
import { Refusal } from "./refusal.js";
import { type Signed, decodeTransaction, shortNetwork, toSign } from "./transaction.js";

/**
 * signToo adds signatures to a transaction that others have signed a part of. Look at it first: decodeTransaction says what it does.
 * Refused with tx.malformed or tx.wrong_network.
 */
export async function signToo(network: string, raw: Uint8Array, signers: readonly Signer[]): Promise<Signed> {
  const body = decodeTransaction(raw);
  if (!equal(body.network, shortNetwork(network))) throw new Refusal("tx.wrong_network", "this transaction is for another network");
  const native = fromBinary(TransactionSchema, raw).kind.value as Native;
  const what = toSign(network, native.body);
  const witnesses = [...native.witnesses];
  for (const s of signers) witnesses.push(await s.sign(what)); // one after the other: a person can answer one question at a time
  const message = create(TransactionSchema, { kind: { case: "native", value: { body: native.body, witnesses } } });
  return { raw: own(toBinary(TransactionSchema, message)), id: toHex(what.digest), notAfter: Number(body.notAfter) };
}

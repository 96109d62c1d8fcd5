import { fromBinary } from "@bufbuild/protobuf";
import { sha256 } from "@noble/hashes/sha2.js";

import { type Bytes, equal, toHex } from "../bytes.js";
import { type Outcome, OutcomeSchema, Status } from "../gen/dure/ledger/v1/ledger_pb.js";
import { Refusal } from "../refusal.js";
import { type Line, compareLines, validName } from "./checkpoint.js";
import { type Evidence, readEvidence } from "./evidence.js";
import { appHash, leafHash, pathRoot } from "./merkle.js";
import { Reader, malformed } from "./wire.js";

/** Limits of a receipt file, in bytes, and of its parts. */
export const maxReceipt = 1 << 20;
const maxNetwork = 49;
const maxPath = 64;
const maxCosignatures = 128;

const magic = "DURE";
/** Versions: 2 is 1 with cosignatures, 3 has signatures by ML-DSA-65. */
const plain = 1;
const wide = 3;

/** A receipt whose parts fit together. No signature is verified: see Anchor. */
export interface Receipt {
  network: string;
  /** As executed; empty when it is left out. */
  transaction: Bytes;
  /** What happened, and its bytes as the validators signed them. */
  outcome: Outcome;
  serialised: Bytes;
  /** The history log that the header signs, in leaves, and its RFC 6962 root. */
  size: bigint;
  logRoot: Bytes;
  stateRoot: Bytes;
  evidence: Evidence;
  /** Not verified. */
  cosignatures: Line[];
}

/**
 * readReceipt reads a receipt file, see docs/receipt.md. Refused with receipt.too_large, not_a_receipt, unsupported_version, bad_outcome or
 * wrong_transaction, proof.malformed or proof.bad_path.
 */
export function readReceipt(file: Uint8Array): Receipt {
  if (file.length > maxReceipt) throw new Refusal("receipt.too_large", "a receipt is at most 1 MiB");
  const r = new Reader(file, file[magic.length] === wide);
  if (file.length < magic.length || new TextDecoder().decode(r.take(4, "the beginning")) !== magic) {
    throw new Refusal("receipt.not_a_receipt", "this is not a Dure receipt: such a file begins with DURE");
  }
  const version = r.u8("version");
  if (version < plain || version > wide) {
    throw new Refusal("receipt.unsupported_version", "this receipt has a newer layout; a newer version of the software can read it", { version: String(version) });
  }
  const n = r.u8("network id");
  if (n === 0 || n > maxNetwork) throw malformed("the network id must have 1 to 49 bytes");
  const network = latin(r.take(n, "network id"));
  const transaction = r.bytes("transaction");
  const serialised = r.bytes("outcome");
  const size = r.u64("history size");
  const length = r.u8("path");
  if (length > maxPath) throw malformed("the path has more than 64 hashes");
  const path: Bytes[] = [];
  for (let i = 0; i < length; i++) path.push(r.hash("path"));
  const stateRoot = r.hash("state root");

  const outcome = readOutcome(serialised);
  if (transaction.length > 0 && !equal(sha256(transaction), outcome.txHash)) {
    throw new Refusal("receipt.wrong_transaction", "the transaction in the receipt is not the one the outcome is about", { outcome: toHex(outcome.txHash) });
  }
  const logRoot = pathRoot(leafHash(serialised), outcome.seq, size, path);
  const evidence = readEvidence(r, appHash(stateRoot, size, logRoot));
  const cosignatures = version === plain ? [] : readCosignatures(r, network);
  r.end();
  return { network, transaction, outcome, serialised, size, logRoot, stateRoot, evidence, cosignatures };
}

function readOutcome(serialised: Bytes): Outcome {
  let outcome: Outcome | undefined;
  try {
    outcome = fromBinary(OutcomeSchema, serialised);
  } catch {
    // told below
  }
  if (!outcome || outcome.id.length !== 32 || outcome.txHash.length !== 32 || ![Status.OK, Status.FAILED].includes(outcome.status)) {
    throw new Refusal("receipt.bad_outcome", "the receipt's outcome is not one a ledger's history can hold");
  }
  return outcome;
}

function readCosignatures(r: Reader, network: string): Line[] {
  const n = r.u8("number of cosignatures");
  if ((n === 0 && !r.wide) || n > maxCosignatures) throw malformed("a receipt of version 2 has 1 to 128 cosignatures, one of version 3 at most 128");
  const lines: Line[] = [];
  for (let i = 0; i < n; i++) {
    const name = latin(r.take(r.u8("witness name"), "witness name"));
    lines.push({ name, keyId: r.take(4, "witness key id"), signature: r.take(72, "cosignature") });
  }
  for (const [i, l] of lines.entries()) {
    const before = lines[i - 1];
    if (!validName(l.name) || l.name === network || (l.signature[0] as number) >= 0x80 || (before && compareLines(before, l) >= 0)) {
      throw malformed("its cosignatures are out of order, there twice, or not in their form");
    }
  }
  return lines;
}

/** latin reads bytes as characters one for one, so that other bytes are always another text. */
const latin = (b: Bytes): string => String.fromCharCode(...b);

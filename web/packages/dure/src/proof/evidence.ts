import type { Bytes } from "../bytes.js";
import { type Reader, malformed } from "./wire.js";

/** A CometBFT block header without what the verifier has already, see docs/receipt.md. Times are unix nanoseconds. */
export interface Header {
  blockVersion: bigint;
  appVersion: bigint;
  height: bigint;
  time: bigint;
  /** Absent at height 1. */
  lastBlock?: { hash: Bytes; partsTotal: number; partsHash: Bytes };
  lastCommitHash: Bytes;
  dataHash: Bytes;
  nextValidatorsHash: Bytes;
  consensusHash: Bytes;
  appHash: Bytes;
  lastResultsHash: Bytes;
  evidenceHash: Bytes;
  proposer: Bytes;
}

/** Precommits for a header, in ascending order of validator. */
export interface Commit {
  round: number;
  partsTotal: number;
  partsHash: Bytes;
  signatures: { validator: number; time: bigint; bytes: Bytes }[];
}

/** Sizes of what validators sign with, in bytes: Ed25519's first, ML-DSA-65's second. */
export const keySizes = [32, 1952] as const;
export const signatureSizes = [64, 3309] as const;

/** A key and its voting power. The length of the key says of which kind it is. */
export interface Validator {
  key: Bytes;
  power: bigint;
}

/** Shows that a header is the network's: every change of validators since the point that is trusted, then the header. */
export interface Evidence {
  changes: { header: Header; commit: Commit; next: Validator[] }[];
  header: Header;
  commit: Commit;
}

/** readEvidence reads evidence whose last header has this app hash, which is not stored. */
export function readEvidence(r: Reader, appHash: Bytes): Evidence {
  const changes: Evidence["changes"] = [];
  for (let n = r.u16("number of changes"); n > 0; n--) {
    changes.push({ header: readHeader(r), commit: readCommit(r), next: readValidators(r) });
  }
  const evidence = { changes, header: readHeader(r, appHash), commit: readCommit(r) };
  if (r.wide && !isWide(evidence)) throw malformed("it is in the layout for ML-DSA-65 and has nothing of that");
  return evidence;
}

/** isWide says whether there is a key or signature of another kind than Ed25519, which the first layout cannot carry. */
function isWide(e: Evidence): boolean {
  const other = (c: Commit) => c.signatures.some((s) => s.bytes.length !== signatureSizes[0]);
  return other(e.commit) || e.changes.some((c) => other(c.commit) || c.next.some((v) => v.key.length !== keySizes[0]));
}

function readHeader(r: Reader, appHash?: Bytes): Header {
  const blockVersion = r.u64("block version");
  const appVersion = r.u64("app version");
  const height = r.u63("height");
  if (height === 0n) throw malformed("a height is 0");
  const time = r.u63("time");
  const lastBlock = height === 1n ? undefined : { hash: r.hash("last block"), partsTotal: r.u32("last block"), partsHash: r.hash("last block") };
  return {
    blockVersion, appVersion, height, time, ...(lastBlock && { lastBlock }),
    lastCommitHash: r.hash("last commit hash"),
    dataHash: r.hash("data hash"),
    nextValidatorsHash: r.hash("next validators hash"),
    consensusHash: r.hash("consensus hash"),
    appHash: appHash ?? r.hash("app hash"),
    lastResultsHash: r.hash("last results hash"),
    evidenceHash: r.hash("evidence hash"),
    proposer: r.take(20, "proposer"),
  };
}

function readCommit(r: Reader): Commit {
  const round = r.u32("round");
  if (round > 0x7fffffff) throw malformed("a round is out of range");
  const c: Commit = { round, partsTotal: r.u32("parts"), partsHash: r.hash("parts"), signatures: [] };
  for (let n = r.u16("number of signatures"); n > 0; n--) {
    c.signatures.push({ validator: r.u16("signature"), time: r.u63("time of a signature"), bytes: r.sized(signatureSizes, "signature") });
  }
  return c;
}

function readValidators(r: Reader): Validator[] {
  const set: Validator[] = [];
  for (let n = r.u16("number of validators"); n > 0; n--) set.push({ key: r.sized(keySizes, "validator"), power: r.u63("validator") });
  return set;
}

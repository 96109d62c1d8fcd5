import { ed25519 } from "@noble/curves/ed25519.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { ml_dsa65 } from "@noble/post-quantum/ml-dsa.js";
import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";

import { type Bytes, compare, concat, own, toHex, utf8 } from "../bytes.js";
import { Refusal } from "../refusal.js";
import { type Commit, type Header, type Validator, keySizes } from "./evidence.js";
import { merkleRoot } from "./merkle.js";

/** A set whose form has been checked. */
export interface ValidatorSet {
  list: readonly Validator[];
  total: bigint;
  hash: Bytes;
}

/** The most that all validators' powers may sum up to, as in CometBFT. */
const maxTotal = ((1n << 63n) - 1n) / 8n;

/** The numbers of the kinds of key in CometBFT's message of public keys. */
const ed25519Field = 1;
const mldsa65Field = 4;

const validatorAddress = (v: Validator) => sha256(v.key).slice(0, 20);

/** sortValidators puts a set into CometBFT's order: power, the largest first, then address. */
export function sortValidators(set: Validator[]): Validator[] {
  return set.sort(compareValidators);
}

function compareValidators(a: Validator, b: Validator): number {
  if (a.power !== b.power) return a.power > b.power ? -1 : 1;
  return compare(validatorAddress(a), validatorAddress(b));
}

/** checkValidators takes a set in its order. Refused with proof.bad_validators. */
export function checkValidators(list: readonly Validator[]): ValidatorSet {
  const bad = (why: string) => new Refusal("proof.bad_validators", `a set of validators ${why}`);
  if (list.length === 0) throw bad("is empty");
  const seen = new Set<string>();
  let total = 0n;
  for (const [i, v] of list.entries()) {
    const key = toHex(v.key);
    if (!(keySizes as readonly number[]).includes(v.key.length)) throw bad("has a key that is neither one of Ed25519 (32 bytes) nor one of ML-DSA-65 (1952 bytes)");
    if (seen.has(key)) throw bad("has the same key twice");
    seen.add(key);
    total += v.power;
    if (v.power <= 0n || total > maxTotal) throw bad("has a power that is not positive, or more in total than can be");
    if (i > 0 && compareValidators(list[i - 1] as Validator, v) > 0) throw bad("is not in order of power and address");
  }
  const leaves = list.map((v) => {
    const key = new BinaryWriter().tag(v.key.length === keySizes[0] ? ed25519Field : mldsa65Field, WireType.LengthDelimited).bytes(v.key).finish();
    return new BinaryWriter().tag(1, WireType.LengthDelimited).bytes(key).tag(2, WireType.Varint).int64(v.power).finish();
  });
  return { list, total, hash: merkleRoot(leaves) };
}

/** headerHash is CometBFT's hash of a header whose validators are the set. */
export function headerHash(network: string, set: ValidatorSet, h: Header): Bytes {
  const version = new BinaryWriter();
  number(version, 1, h.blockVersion);
  number(version, 2, h.appVersion);
  const height = new BinaryWriter();
  number(height, 1, h.height);
  const last = new BinaryWriter();
  if (h.lastBlock) last.tag(1, WireType.LengthDelimited).bytes(h.lastBlock.hash);
  last.tag(2, WireType.LengthDelimited).bytes(h.lastBlock ? parts(h.lastBlock.partsTotal, h.lastBlock.partsHash) : new Uint8Array());
  return merkleRoot([
    version.finish(),
    wrapped(utf8(network)),
    height.finish(),
    timestamp(h.time),
    last.finish(),
    ...[h.lastCommitHash, h.dataHash, set.hash, h.nextValidatorsHash, h.consensusHash, h.appHash, h.lastResultsHash, h.evidenceHash, h.proposer].map(wrapped),
  ]);
}

/** Who signed a header. */
export interface Tally {
  signatures: number;
  power: bigint;
}

/**
 * verifyCommit checks that every signature of a commit is a precommit of its validator for this header, and that together they have more
 * than two thirds of the power. Codes proof.bad_signer, proof.bad_signature, proof.too_little_power.
 */
export function verifyCommit(network: string, set: ValidatorSet, hash: Bytes, height: bigint, c: Commit): Tally {
  let last = -1;
  let power = 0n;
  for (const s of c.signatures) {
    const fields = { height: String(height), validator: String(s.validator) };
    const signer = set.list[s.validator];
    // Ascending order, so that nobody counts twice and there is one way to write a commit.
    if (s.validator <= last || !signer) {
      throw new Refusal("proof.bad_signer", "a signature is by nobody in the set of validators, counted twice or out of order", fields);
    }
    last = s.validator;
    if (!verifySignature(signer.key, voteBytes(network, hash, height, c, s.time), s.bytes)) {
      throw new Refusal("proof.bad_signature", "a validator's signature on a header is not good; the file is damaged or forged", fields);
    }
    power += signer.power;
  }
  if (3n * power <= 2n * set.total) {
    throw new Refusal("proof.too_little_power", "not more than two thirds of the validators' power signed a header", {
      height: String(height), power: String(power), total: String(set.total),
    });
  }
  return { signatures: c.signatures.length, power };
}

/** verifySignature verifies Ed25519 by ZIP-215, as CometBFT does, and ML-DSA-65 by FIPS 204 without a context. */
function verifySignature(key: Bytes, message: Uint8Array, signature: Bytes): boolean {
  try {
    if (key.length !== keySizes[0]) return ml_dsa65.verify(signature, message, key);
    return ed25519.verify(signature, message, key, { zip215: true });
  } catch {
    return false; // an encoding that is no point, or a signature of the other kind
  }
}

/** voteBytes is what a validator's precommit signs, with its length before it. */
function voteBytes(network: string, hash: Bytes, height: bigint, c: Commit, time: bigint): Uint8Array {
  const block = new BinaryWriter()
    .tag(1, WireType.LengthDelimited).bytes(hash)
    .tag(2, WireType.LengthDelimited).bytes(parts(c.partsTotal, c.partsHash)).finish();
  const w = new BinaryWriter().tag(1, WireType.Varint).int32(2).tag(2, WireType.Bit64).sfixed64(height);
  if (c.round !== 0) w.tag(3, WireType.Bit64).sfixed64(BigInt(c.round));
  const vote = w
    .tag(4, WireType.LengthDelimited).bytes(block)
    .tag(5, WireType.LengthDelimited).bytes(timestamp(time))
    .tag(6, WireType.LengthDelimited).bytes(utf8(network)).finish();
  return new BinaryWriter().bytes(vote).finish();
}

/** A number that is 0 is left out with its tag. */
function number(w: BinaryWriter, field: number, v: bigint): void {
  if (v !== 0n) w.tag(field, WireType.Varint).uint64(v);
}

function timestamp(nanoseconds: bigint): Uint8Array {
  const w = new BinaryWriter();
  number(w, 1, nanoseconds / 1_000_000_000n);
  number(w, 2, nanoseconds % 1_000_000_000n);
  return w.finish();
}

function parts(total: number, hash: Bytes): Uint8Array {
  const w = new BinaryWriter();
  number(w, 1, BigInt(total));
  return concat(w.finish(), new BinaryWriter().tag(2, WireType.LengthDelimited).bytes(hash).finish());
}

const wrapped = (b: Uint8Array): Bytes => own(new BinaryWriter().tag(1, WireType.LengthDelimited).bytes(b).finish());

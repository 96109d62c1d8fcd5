import { sha256 } from "@noble/hashes/sha2.js";

import { type Bytes, compare, concat, equal, own } from "../bytes.js";
import { Refusal } from "../refusal.js";

/** Limits of docs/state.md, in bytes and steps. */
const maxProof = 5 << 19;
const maxKey = 512;
const maxValue = 1 << 20;
const maxDepth = 4608;

/** A proof whose path was followed: what it says, the root it leads to, and at each step from the leaf up whether we are on the right. */
interface Existence {
  key: Uint8Array;
  value: Uint8Array;
  root: Bytes;
  right: boolean[];
}

const malformed = () => new Refusal("proof.malformed", "the state proof is damaged or of another kind than asked for");
const mismatch = (why: string) => new Refusal("proof.mismatch", `the state proof does not hold: ${why}`);

/**
 * verifyState checks that a proof (a serialised cosmos.ics23.v1.CommitmentProof) shows a state key to have a value under a root or, if
 * value is undefined, to be absent. Only the one serialisation of docs/state.md is accepted. Refused with proof.too_large,
 * proof.malformed or proof.mismatch.
 */
export function verifyState(root: Uint8Array, proof: Uint8Array, key: Uint8Array, value: Uint8Array | undefined): void {
  if (proof.length > maxProof) throw new Refusal("proof.too_large", "the state proof is larger than any can be");
  if (key.length === 0 || key.length > maxKey) throw mismatch("no state key has this length");
  if (value) verifyPresence(root, proof, key, value);
  else verifyAbsence(root, proof, key);
}

function verifyPresence(root: Uint8Array, proof: Uint8Array, key: Uint8Array, value: Uint8Array): void {
  const r = new Fields(proof);
  const p = readExistence(r.take(1));
  r.end();
  if (!equal(p.key, key)) throw mismatch("it is about another key");
  if (!equal(p.value, value)) throw mismatch("it is about another value");
  if (!equal(p.root, root)) throw mismatch("it leads to another root");
}

function verifyAbsence(root: Uint8Array, proof: Uint8Array, key: Uint8Array): void {
  const outer = new Fields(proof);
  const r = new Fields(outer.take(2));
  const about = r.take(1);
  const left = r.next(2) ? readExistence(r.take(2)) : undefined;
  const right = r.next(3) ? readExistence(r.take(3)) : undefined;
  outer.end();
  r.end();
  if (!left && !right) throw malformed();
  if (!equal(about, key)) throw mismatch("it is about another key");
  if ((left && !equal(left.root, root)) || (right && !equal(right.root, root))) throw mismatch("it leads to another root");
  if ((left && compare(left.key, key) >= 0) || (right && compare(right.key, key) <= 0)) throw mismatch("the key is not between the neighbours");
  if (!adjacent(left, right)) throw mismatch("there may be keys between the neighbours");
}

/** adjacent says whether no leaf is between two of the same root; undefined is beyond the end. */
function adjacent(left: Existence | undefined, right: Existence | undefined): boolean {
  const l = [...(left?.right ?? [])]; // what is left to follow, ending at the root
  const r = [...(right?.right ?? [])];
  if (left && right) {
    while (l.length > 0 && r.length > 0 && l.at(-1) === r.at(-1)) {
      l.pop();
      r.pop();
    }
    if (l.pop() !== false || r.pop() !== true) return false; // they part: left to the left
  }
  return l.every((side) => side) && r.every((side) => !side);
}

/** The serialised operations, of which a proof has no others: of a leaf, and around a left and a right child up to the sibling's hash. */
const leafOp = Uint8Array.of(0x08, 1, 0x18, 1, 0x20, 1, 0x2a, 1, 0);
const leftOp = Uint8Array.of(0x08, 1, 0x12, 1, 1, 0x1a, 32);
const rightOp = Uint8Array.of(0x08, 1, 0x12, 33, 1);

function readExistence(b: Uint8Array): Existence {
  const r = new Fields(b);
  const [key, value, leaf] = [r.take(1), r.take(2), r.take(3)];
  if (key.length === 0 || key.length > maxKey || value.length === 0 || value.length > maxValue || !equal(leaf, leafOp)) throw malformed();
  let root = hash(Uint8Array.of(0), varint(key.length), key, Uint8Array.of(32), hash(value));
  const right: boolean[] = [];
  while (!r.done) {
    const op = r.take(4);
    const at = Math.max(op.length - 32, 0);
    const [operation, sibling] = [op.subarray(0, at), op.subarray(at)];
    const isRight = equal(operation, rightOp);
    if (right.length === maxDepth || !(isRight || equal(operation, leftOp))) throw malformed();
    root = isRight ? hash(Uint8Array.of(1), sibling, root) : hash(Uint8Array.of(1), root, sibling);
    right.push(isRight);
  }
  return { key, value, root, right };
}

const hash = (...parts: Uint8Array[]): Bytes => own(sha256(concat(...parts)));

/** varint is protobuf's, of the length of a key. */
const varint = (n: number): Uint8Array => (n < 0x80 ? Uint8Array.of(n) : Uint8Array.of((n & 0x7f) | 0x80, n >> 7));

/** Takes protobuf fields of wire type 2 off the front, in their canonical form. Anything else is refused with proof.malformed. */
class Fields {
  constructor(private rest: Uint8Array) {}

  get done(): boolean {
    return this.rest.length === 0;
  }

  /** next says whether the next field has that number, from 1 to 15. */
  next(number: number): boolean {
    return this.rest[0] === ((number << 3) | 2);
  }

  take(number: number): Uint8Array {
    if (!this.next(number)) throw malformed();
    let size = 0;
    let at = 1;
    for (let more = true; more; at++) {
      const byte = this.rest[at];
      if (byte === undefined || at > 4 || (byte === 0 && at > 1)) throw malformed(); // cut short, larger than any proof, or not the shortest
      size += (byte & 0x7f) * 2 ** (7 * (at - 1));
      more = byte >= 0x80;
    }
    if (size > this.rest.length - at) throw malformed();
    const body = this.rest.subarray(at, at + size);
    this.rest = this.rest.subarray(at + size);
    return body;
  }

  end(): void {
    if (!this.done) throw malformed();
  }
}

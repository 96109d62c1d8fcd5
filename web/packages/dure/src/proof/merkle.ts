import { sha256 } from "@noble/hashes/sha2.js";

import { type Bytes, be64, concat, own, utf8 } from "../bytes.js";
import { Refusal } from "../refusal.js";

/** leafHash and node are those of RFC 6962, section 2.1. */
export const leafHash = (data: Uint8Array): Bytes => own(sha256(concat(Uint8Array.of(0), data)));
const node = (left: Uint8Array, right: Uint8Array): Bytes => own(sha256(concat(Uint8Array.of(1), left, right)));

/** merkleRoot is the RFC 6962 root over leaves, of which there is at least one. */
export function merkleRoot(leaves: readonly Uint8Array[]): Bytes {
  if (leaves.length === 1) return leafHash(leaves[0] as Uint8Array);
  let split = 1;
  while (split * 2 < leaves.length) split *= 2;
  return node(merkleRoot(leaves.slice(0, split)), merkleRoot(leaves.slice(split)));
}

/** pathRoot computes the root of a log from a leaf's hash and its inclusion path (RFC 9162, 2.1.3.2). Refused with proof.bad_path. */
export function pathRoot(leaf: Bytes, index: bigint, size: bigint, path: readonly Bytes[]): Bytes {
  const bad = (why: string) =>
    new Refusal("proof.bad_path", `the path from the outcome to the history root does not fit the log: ${why}`, {
      index: String(index), size: String(size), path: String(path.length),
    });
  if (index >= size) throw bad("the outcome is beyond the log's end");
  let fn = index;
  let sn = size - 1n;
  let root = leaf;
  for (const sibling of path) {
    if (sn === 0n) throw bad("it is too long");
    if (fn % 2n === 1n || fn === sn) {
      root = node(sibling, root);
      while (fn % 2n === 0n && fn !== 0n) {
        fn /= 2n;
        sn /= 2n;
      }
    } else {
      root = node(root, sibling);
    }
    fn /= 2n;
    sn /= 2n;
  }
  if (sn !== 0n) throw bad("it is too short");
  return root;
}

/** appHash is what a header says of the blocks before it: state, history and its size. */
export function appHash(stateRoot: Uint8Array, size: bigint, logRoot: Uint8Array): Bytes {
  const history = sha256(concat(utf8("dure/history/v1\n"), be64(size), logRoot));
  return own(sha256(concat(stateRoot, history)));
}

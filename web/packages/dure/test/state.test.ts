import { describe, expect, test } from "vitest";

import { verifyState } from "../src/proof/state.js";
import { readJson } from "./vectors.js";

interface Vector {
  name: string;
  root: string;
  proofs: { key: string; value?: string; proof: string }[];
}

const bytes = (hex: string) => new Uint8Array(Buffer.from(hex, "hex"));
const vectors = readJson<Vector[]>("ledger/state/testdata/vectors.json").filter((v) => v.proofs?.length > 0);

/** Of a long proof every bit of some bytes is changed, of a short one of all. */
const tried = 400;

describe.each(vectors)("the vectors of ledger/state: $name", ({ root, proofs }) => {
  test("hold", () => {
    for (const p of proofs) verifyState(bytes(root), bytes(p.proof), bytes(p.key), p.value === undefined ? undefined : bytes(p.value));
  });

  test("are refused with any bit changed, cut short, or for something else", () => {
    for (const p of proofs) {
      const [proof, key, value] = [bytes(p.proof), bytes(p.key), p.value === undefined ? undefined : bytes(p.value)];
      const refuse = (b: Uint8Array, k = key, r = bytes(root), v = value) => expect(() => verifyState(r, b, k, v)).toThrow(/state proof/);
      const reverse = value ? undefined : new Uint8Array([1]);
      for (let i = 0; i < proof.length; i += Math.max(1, Math.floor(proof.length / tried))) {
        const changed = proof.slice();
        changed[i] = (changed[i] as number) ^ (1 << (i % 8));
        refuse(changed);
        refuse(proof.slice(0, i));
      }
      refuse(new Uint8Array([...proof, 0]));
      refuse(proof, new Uint8Array([...key, 1]));
      refuse(proof, key, new Uint8Array(32));
      expect(() => verifyState(bytes(root), proof, key, reverse)).toThrow(/state proof/);
    }
  });
});

test("a key or a proof of a size that none has is refused", () => {
  const root = new Uint8Array(32);
  expect(() => verifyState(root, new Uint8Array((5 << 19) + 1), new Uint8Array(1), undefined)).toThrow("larger than any");
  expect(() => verifyState(root, new Uint8Array(), new Uint8Array(513), undefined)).toThrow("no state key");
});

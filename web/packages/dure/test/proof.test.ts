import { describe, expect, test } from "vitest";

import { Anchor, Refusal, parseWitness } from "@dureledger/dure";

import { read, readJson } from "./vectors.js";

interface Vector {
  name: string;
  about: string;
  file: string;
  genesis?: string;
  checkpoint?: string;
  witnesses?: string[];
  threshold?: number;
  code?: string;
  id?: string;
  header?: string;
  height?: number;
  changes?: number;
  power?: number;
}

const folder = "client/light/testdata/";
const vectors = readJson<Vector[]>(folder + "vectors.json");
const quantum = folder + "mldsa/";

function verify(v: Vector, file = read(folder + v.file), from = folder) {
  const anchor = v.checkpoint ? Anchor.fromCheckpoint(read(from + v.checkpoint)) : Anchor.fromGenesis(read(from + v.genesis));
  const policy = { witnesses: (v.witnesses ?? []).map(parseWitness), threshold: v.threshold ?? 0 };
  return v.file.endsWith(".dure") ? anchor.verifyReceipt(file, policy) : anchor.verifyCheckpoint(file, policy);
}

/** refusal is the code of the refusal that f ends with. */
function refusal(f: () => unknown): string | undefined {
  try {
    f();
  } catch (err) {
    if (err instanceof Refusal) return err.code;
    throw err;
  }
  return undefined;
}

describe.each([["Ed25519", folder, vectors], ["ML-DSA-65", quantum, readJson<Vector[]>(quantum + "vectors.json")]] as const)("the vectors of client/light with validators of %s", (_, from, list) => {
  test.each(list)("$name: $about", (v) => {
    const file = read(from + v.file);
    if (v.code) {
      expect(refusal(() => verify(v, file, from))).toBe(v.code);
      return;
    }
    const got = verify(v, file, from);
    expect(Buffer.from(got.header).toString("hex")).toBe(v.header);
    expect([Number(got.height), got.changes, Number(got.power)]).toEqual([v.height, v.changes ?? 0, v.power]);
    if ("id" in got) expect(got.id).toBe(v.id);
  });
});

/** A receipt of version 2 is long: of its bytes some are tried. */
const tried = { receipt: 1, "receipt-witnessed": 11 };

describe.each(Object.entries(tried))("%s with a byte changed, cut or added", (name, step) => {
  const v = vectors.find((one) => one.name === name) as Vector;
  const file = read(folder + v.file);

  test("is refused, whichever byte it is", () => {
    // What a witness who was not asked for signed is not verified.
    const strange = Buffer.from(file).indexOf("stranger");
    for (let i = 0; i < (strange < 0 ? file.length : strange); i += step) {
      const changed = file.slice();
      changed[i] = (changed[i] as number) ^ (1 << (i % 8));
      expect(refusal(() => verify(v, changed)), `byte ${i}`).toMatch(/^(receipt|proof|checkpoint)\./);
    }
  });

  test("is refused when it is cut short or goes on", () => {
    for (let n = 0; n < file.length; n += 7) expect(refusal(() => verify(v, file.slice(0, n))), `${n} bytes`).toMatch(/\./);
    expect(refusal(() => verify(v, new Uint8Array([...file, 0])))).toBe("proof.malformed");
  });
});

test("what a receipt says and rests on", () => {
  const got = verify(vectors[0] as Vector);
  expect(got.basis).toMatchObject({ genesis: true, validators: 4, power: 40n });
  expect([got.signatures, got.validators, got.totalPower]).toEqual([3, 4, 40n]);
  expect("ok" in got && got.ok).toBe(true);
});

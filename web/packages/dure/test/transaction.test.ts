import { fromJson, toBinary } from "@bufbuild/protobuf";
import { p256 } from "@noble/curves/nist.js";
import { describe, expect, test } from "vitest";

import { KeyKind, Refusal, cryptoSigner, formatAddress, formatUnits, generateKey, keyAddress, keyText, parseAddress, parseUnits, sign, transfer, verifySignatures } from "@dureledger/dure";
import { secretSigner } from "@dureledger/dure/secret";

import { BodySchema } from "../src/gen/dure/tx/v1/tx_pb.js";
import { compactP256 } from "../src/key.js";
import { p256Keys } from "../src/passkey.js";
import { toSign } from "../src/transaction.js";
import { readJson } from "./vectors.js";

interface Vectors {
  network_id: string;
  keys: { kind: string; secret: string; public_key: string; address: string }[];
  refused: { name: string; code: string; raw: string }[];
  good: { name: string; body_json: unknown; body: string; id: string; raw: string }[];
}

const vectors = readJson<Vectors>("ledger/tx/testdata/vectors.json");
const hex = (b: Uint8Array) => Buffer.from(b).toString("hex");
const bytes = (text: string) => new Uint8Array(Buffer.from(text, "hex"));
const kinds: Record<string, KeyKind> = { ed25519: KeyKind.ED25519, p256: KeyKind.P256, webauthn: KeyKind.WEBAUTHN, secp256k1: KeyKind.SECP256K1, "ml-dsa-65": KeyKind.ML_DSA_65 };
const own = ["ed25519", "p256", "secp256k1", "ml-dsa-65"] as const;

describe("the vectors of ledger/tx", () => {
  test.each(vectors.keys)("address of $kind", (v) => {
    const key = { kind: kinds[v.kind] as KeyKind, bytes: bytes(v.public_key) };
    expect(keyAddress(key)).toBe(v.address);
    expect(keyText(key)).toBe(`${v.kind}:${v.public_key}`);
    expect(formatAddress(parseAddress(v.address.toLowerCase()))).toBe(v.address);
  });

  test.each(vectors.good)("bytes and id of: $name", (v) => {
    const body = toBinary(BodySchema, fromJson(BodySchema, v.body_json as never));
    expect(hex(body)).toBe(v.body);
    expect(hex(toSign(vectors.network_id, body).digest)).toBe(v.id);
  });

  // Our software signs by RFC 8032, RFC 6979 and FIPS 204 without chance, so the same transaction has the same bytes in Go and here.
  test.each(own)("a payment signed with %s", async (kind) => {
    const v = vectors.good.find((one) => one.name === kind);
    const secret = vectors.keys.find((one) => one.kind === kind)?.secret as string;
    const signer = secretSigner(kind, bytes(secret));
    const pay = transfer({ asset: "krw", from: keyAddress(signer.key), to: formatAddress(new Uint8Array(20).fill(0xab)), amount: "12500", memo: "lunch" });
    const signed = await sign(vectors.network_id, { actions: [pay], notAfter: 1_760_000_000_000, salt: 7n }, [signer]);
    expect(hex(signed.raw)).toBe(v?.raw);
    expect(signed.id).toBe(v?.id);
  });
});

describe("signatures", () => {
  test.each(vectors.good)("are good of: $name", (v) => {
    verifySignatures(vectors.network_id, bytes(v.raw));
    expect(() => verifySignatures("other-00112233445566778899aabbccddeeff", bytes(v.raw))).toThrow("is not by its key");
  });

  test.each(vectors.good)("are refused with a bit of them changed: $name", (v) => {
    const raw = bytes(v.raw);
    for (const back of [1, 20, 40]) {
      const changed = raw.slice();
      changed[raw.length - back] = (changed[raw.length - back] as number) ^ 1;
      expect(() => verifySignatures(vectors.network_id, changed), `${back} from the end`).toThrow(Refusal);
    }
  });

  test("that the ledger calls bad are, and so is what is no transaction", () => {
    for (const v of vectors.refused.filter((one) => one.code === "tx.bad_signature" || one.name === "not protobuf")) {
      expect(() => verifySignatures(vectors.network_id, bytes(v.raw)), v.name).toThrow(Refusal);
    }
  });
});

describe("keys of WebCrypto", () => {
  test("P-256 signs the digest with a low s", async () => {
    const signer = await cryptoSigner(await generateKey("p256"));
    for (let i = 0; i < 8; i++) {
      const what = toSign(vectors.network_id, Uint8Array.of(i));
      const w = await signer.sign(what);
      expect(p256.verify(w.signature, what.digest, signer.key.bytes, { prehash: false, lowS: true })).toBe(true);
    }
  });

  test("their secret cannot be read out", async () => {
    const pair = await generateKey("ed25519");
    await expect(crypto.subtle.exportKey("pkcs8", pair.privateKey)).rejects.toThrow();
    expect((await cryptoSigner(pair)).key.bytes.length).toBe(32);
  });

  test("other kinds are refused", async () => {
    const pair = (await crypto.subtle.generateKey({ name: "X25519" }, false, ["deriveBits"])) as CryptoKeyPair;
    await expect(cryptoSigner(pair)).rejects.toMatchObject({ code: "key.unsupported" });
    expect(() => secretSigner("p256", new Uint8Array(32))).toThrow(Refusal);
  });
});

test("signatures of authenticators become compact with a low s", () => {
  const secret = new Uint8Array(32).fill(9);
  const digest = new Uint8Array(32).fill(1);
  const low = p256.Signature.fromBytes(p256.sign(digest, secret, { prehash: false }), "compact");
  const high = new p256.Signature(low.r, p256.Point.Fn.ORDER - low.s);
  expect(hex(compactP256(high.toBytes("der")))).toBe(hex(low.toBytes("compact")));
});

test("the key of a passkey is among those that its signature fits", () => {
  for (let i = 1; i < 9; i++) {
    const secret = new Uint8Array(32).fill(i);
    const hash = new Uint8Array(32).fill(i + 1);
    const der = p256.Signature.fromBytes(p256.sign(hash, secret, { prehash: false, lowS: false }), "compact").toBytes("der");
    const keys = p256Keys(der, hash).map(hex);
    expect(keys).toContain(hex(p256.getPublicKey(secret, true)));
    expect(keys.length).toBeLessThanOrEqual(2);
  }
});

test("what is no transaction is refused before it is signed", async () => {
  const signer = secretSigner("ed25519", new Uint8Array(32).fill(1));
  const from = keyAddress(signer.key);
  const pay = transfer({ asset: "krw", from, to: from, amount: "1" });
  await expect(sign(vectors.network_id, { actions: [] }, [signer])).rejects.toMatchObject({ code: "tx.no_action" });
  await expect(sign("nonsense", { actions: [pay] }, [signer])).rejects.toMatchObject({ code: "tx.wrong_network" });
  await expect(sign(vectors.network_id, { actions: [pay], once: new Uint8Array(31) }, [signer])).rejects.toMatchObject({ code: "tx.malformed" });
});

test("addresses with a mistake are refused", () => {
  const good = vectors.keys[0]?.address as string;
  for (const bad of ["", "0x", good.slice(2), good + "0", good.replace("E", "e"), good.toUpperCase(), "0x" + "g".repeat(40)]) {
    expect(() => parseAddress(bad), bad).toThrow(Refusal);
  }
});

test("amounts", () => {
  for (const [text, decimals, units] of [["12500", 0, "12500"], ["12,500", 0, "12500"], ["1 250.5", 2, "125050"], ["0.50", 2, "50"], ["0", 2, "0"], ["1.000", 0, "1"]] as const) {
    expect(parseUnits(text, decimals), text).toBe(units);
  }
  for (const [text, decimals] of [["", 0], ["-1", 0], ["1e3", 0], ["1.", 2], [".5", 2], ["1.005", 2], ["12,50", 2], ["1,250", 3], ["1.2.3", 2], ["1,234 567", 0], [(1n << 128n).toString(), 0]] as const) {
    expect(() => parseUnits(text, decimals), text).toThrow(Refusal);
  }
  expect([formatUnits("1234567", 0), formatUnits("125050", 2), formatUnits("5", 2), formatUnits("x", 2)]).toEqual(["1,234,567", "1,250.50", "0.05", "x"]);
});

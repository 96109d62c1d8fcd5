import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { crc32 } from "node:zlib";
import jsQR from "jsqr";
import { describe, expect, test } from "vitest";

import { type Address, Anchor, type Transaction, formatAddress } from "@dureledger/dure";

import { paymentsOf, provenPayments, same } from "../src/payment.js";
import { modules } from "../src/qr.js";
import { languages, say, sayRefusal, texts } from "../src/texts.js";
import { zip } from "../src/zip.js";

const folder = fileURLToPath(new URL("../", import.meta.url));
const vectors = join(folder, "../../../client/light/testdata");
const read = (name: string) => new Uint8Array(readFileSync(join(vectors, name)));

describe("texts", () => {
  test("are there in both languages, with the same values", () => {
    for (const [key, both] of Object.entries(texts)) {
      const [ko, en] = both.map((t) => (t.match(/\{[0-9]\}/g) ?? []).sort().join());
      expect(both.every((t) => t.trim() !== ""), key).toBe(true);
      expect(ko, key).toBe(en);
    }
  });

  test("of a refusal are in the visitor's language where there is one", () => {
    expect(sayRefusal("ko", "asset.insufficient_balance", "x")).toBe("잔액이 모자랍니다.");
    expect(sayRefusal("ko", "account.already_approved", "x")).toBe("이 열쇠는 이미 승인했습니다. 같은 열쇠의 승인은 한 번만 셉니다.");
    expect(sayRefusal("ko", "other.thing", "It is so.")).toBe("It is so. (other.thing)");
    expect(languages.map((l) => say(l, "receipt.power", "30", "40"))).toEqual(["의결권 40 가운데 30", "30 of 40 voting power"]);
  });
});

test("a QR code reads as what it was made of", () => {
  for (const text of ["0x83901ce2617E1052b84593E5EE445615734E4D55", "webauthn:02" + "ab".repeat(32), "eyJhbGciOi.~".repeat(120) /* as long as a credential */]) {
    const rows = modules(text);
    const [edge, scale] = [4, 4];
    const size = (rows.length + 2 * edge) * scale;
    const picture = new Uint8ClampedArray(size * size * 4).fill(255);
    for (let y = 0; y < size; y++) {
      for (let x = 0; x < size; x++) {
        const dark = rows[Math.floor(y / scale) - edge]?.[Math.floor(x / scale) - edge];
        if (dark) picture.fill(0, (y * size + x) * 4, (y * size + x) * 4 + 3);
      }
    }
    expect(jsQR(picture, size, size)?.data).toBe(text);
  }
});

test("an archive is as APPNOTE says: its directory leads to each file, whose CRC fits", async () => {
  const files = new Map([["genesis.json", read("quiet.json")], ["a.dure", read("receipt.dure")]]);
  const archive = Buffer.from(await zip(files).arrayBuffer());
  const end = archive.length - 22;
  expect([archive.readUInt32LE(end), archive.readUInt16LE(end + 10)]).toEqual([0x06054b50, files.size]);
  let at = archive.readUInt32LE(end + 16);
  expect(at + archive.readUInt32LE(end + 12)).toBe(end);
  for (const [name, content] of files) {
    const local = archive.readUInt32LE(at + 42);
    expect([archive.readUInt32LE(at), archive.readUInt32LE(local)]).toEqual([0x02014b50, 0x04034b50]);
    expect([archive.readUInt32LE(at + 16), archive.readUInt32LE(at + 24)]).toEqual([crc32(content), content.length]);
    expect(archive.subarray(at + 6, at + 32)).toEqual(archive.subarray(local + 4, local + 30));
    expect(archive.subarray(at + 46, at + 46 + name.length).toString()).toBe(name);
    const begins = local + 30 + name.length;
    expect(archive.subarray(begins, begins + content.length)).toEqual(Buffer.from(content));
    at += 46 + name.length;
  }
});

describe("payments", () => {
  const verified = Anchor.fromGenesis(read("quiet.json")).verifyReceipt(read("receipt.dure"));
  const event = verified.outcome.events[0]?.kind;
  if (event?.case !== "assetMoved") throw new Error("the vector is a payment");
  const from = formatAddress(event.value.from);
  const to = formatAddress(event.value.to);
  const shown = (amount: string): Transaction =>
    ({
      id: verified.id,
      actions: [],
      outcome: { status: "ok", time: verified.executed.toISOString(), events: [{ name: "asset.moved", action: 0, fields: { from, to, asset: event.value.asset, amount } }] },
    }) as unknown as Transaction;

  test("as a node shows them are what the receipt proves, for either side", () => {
    for (const me of [from, to]) {
      const proven = provenPayments({ ...verified, transaction: new Uint8Array() }, me);
      expect(proven).toMatchObject([{ incoming: me === to, amount: event.value.amount, other: me === to ? from : to }]);
      expect(same(paymentsOf(shown(event.value.amount), me), proven)).toBe(true);
    }
  });

  test("that differ from the receipt are found", () => {
    const proven = provenPayments({ ...verified, transaction: new Uint8Array() }, to);
    expect(same(paymentsOf(shown(event.value.amount + "0"), to), proven)).toBe(false);
    expect(same([], proven)).toBe(false);
  });

  test("of others are none of ours", () => {
    expect(paymentsOf(shown("1"), formatAddress(new Uint8Array(20)) as Address)).toEqual([]);
  });
});

test("no source puts a style or script into the page, or logs", () => {
  const folders = [join(folder, "src"), join(folder, "../../packages/dure/src")];
  const files = folders.flatMap((f) => readdirSync(f, { withFileTypes: true }).filter((e) => e.isFile()).map((e) => join(f, e.name)));
  const source = files.map((f) => readFileSync(f, "utf8")).join("\n");
  expect(source).not.toMatch(/dangerouslySetInnerHTML|innerHTML|console\.|eval\(/);
});

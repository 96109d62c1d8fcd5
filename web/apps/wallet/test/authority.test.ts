import { describe, expect, test } from "vitest";

import { type Account, type AccountEvent, type Action, KeyKind, agreementFile, keyAddress, mustPropose, recover, ruleOf, setRule, sign, transfer, withoutKey } from "@dureledger/dure";
import { secretSigner } from "@dureledger/dure/secret";

import { readRequest, requestBytes, requestLink, sinceWhen, withKey } from "../src/authority.js";

const network = "demo-00112233445566778899aabbccddeeff";
const [one, two, three] = [1, 2, 3].map((n) => secretSigner("ed25519", new Uint8Array(32).fill(n))) as [ReturnType<typeof secretSigner>, ReturnType<typeof secretSigner>, ReturnType<typeof secretSigner>];
const me = keyAddress(one.key);
const mine = { address: me, key: me } as Account;
const once = new Uint8Array(32).fill(7);

/** ruled is an account of a rule, as a node shows it. */
const ruled = (weights: readonly number[], bounds: { spend: number; manage: number; other: number; manageWaits?: boolean; waitOver?: string }): Account =>
  ({
    address: me,
    rule: {
      ...bounds, keys: weights.map((weight, i) => ({ key: keyAddress([one, two, three][i]!.key), weight })), receivers: [], waitMs: 0n, manageWaits: bounds.manageWaits ?? false,
      limits: bounds.waitOver ? [{ asset: "krw", perTransaction: "", perWindow: "", windowMs: 0n, waitOver: bounds.waitOver }] : [],
    },
  }) as unknown as Account;

const asked = async (action: Action, more: { once?: Uint8Array; notAfter?: number } = { once }) => (await sign(network, { actions: [action], ...more }, [two])).raw;

describe("a request", () => {
  test("to recover somebody's account says whose, and to which key", async () => {
    const raw = await asked(recover({ account: keyAddress(three.key), by: me, to: two.key }));
    const link = requestLink("https://bank.example", raw);
    expect(requestBytes(link)).toEqual(raw);
    expect(readRequest(requestBytes(link)!, mine, Date.now())).toMatchObject({ kind: "recover", account: keyAddress(three.key), key: keyAddress(two.key), keyKind: KeyKind.ED25519 });
  });

  test("to add a key to the own account is read only if nothing else changes", async () => {
    const wanted = withKey(ruleOf(mine), keyAddress(two.key));
    expect(readRequest(await asked(setRule(me, wanted)), mine, Date.now())).toMatchObject({ kind: "join", key: keyAddress(two.key) });
    for (const other of [
      { ...wanted, spend: 2 }, { ...wanted, keys: wanted.keys.slice(1) }, { ...wanted, keys: [...wanted.keys].reverse() }, { ...wanted, receivers: [me] },
      withKey(wanted, keyAddress(three.key)), { ...wanted, keys: wanted.keys.map((k) => ({ ...k, weight: 9 })) },
    ]) {
      expect(readRequest(await asked(setRule(me, other)), mine, Date.now())).toEqual({ no: "strange" });
    }
  });

  test("of anything else is not for this wallet to sign", async () => {
    const pay = transfer({ asset: "krw", from: me, to: keyAddress(two.key), amount: "1" });
    const strangers = recover({ account: me, by: keyAddress(three.key), to: two.key });
    expect(readRequest(await asked(pay), mine, Date.now())).toEqual({ no: "strange" });
    expect(readRequest((await sign(network, { actions: [recover({ account: keyAddress(three.key), by: me, to: two.key }), pay], once }, [two])).raw, mine, Date.now())).toEqual({ no: "strange" });
    expect(readRequest(await asked(strangers), mine, Date.now())).toEqual({ no: "other", account: keyAddress(three.key) });
    expect(readRequest(await asked(recover({ account: keyAddress(three.key), by: me, to: two.key }), { once, notAfter: 1 }), mine, Date.now())).toEqual({ no: "expired" });
    expect(readRequest(new Uint8Array([1, 2, 3]), mine, Date.now())).toEqual({ no: "strange" });
    expect(requestBytes("hello, there")).toBeUndefined();
    expect(requestBytes("A".repeat(1 << 20))).toBeUndefined();
  });

  test("is a file that dure agree reads", async () => {
    const file = JSON.parse(agreementFile(network, await asked(recover({ account: keyAddress(three.key), by: me, to: two.key })))) as { format: string; signatures: { key: string }[] };
    expect([file.format, file.signatures.map((s) => s.key)]).toEqual(["dure-agreement-1", [keyAddress(two.key)]]);
  });
});

describe("a rule", () => {
  const any = { spend: 1, manage: 1, other: 1 };
  const pay = (amount: string) => [transfer({ asset: "krw", from: me, to: me, amount })];

  test("keeps the keys without which it could not do everything", () => {
    const keys = (a: Account, gone: number) => withoutKey(ruleOf(a), keyAddress([one, two, three][gone]!.key))?.keys.length;
    expect(keys(mine, 0)).toBeUndefined();
    expect(keys(ruled([1, 1], any), 0)).toBe(1);
    expect(keys(ruled([1, 1], { ...any, manage: 2 }), 0)).toBeUndefined();
    expect([0, 1, 2].map((i) => keys(ruled([2, 1, 1], { ...any, spend: 2, manage: 3 }), i))).toEqual([undefined, 2, 2]);
  });

  test("has one key propose what takes more, or has to wait", () => {
    const propose = (a: Account, actions: Action[]) => mustPropose(a, me, actions);
    expect(propose(mine, pay("1"))).toBe(false);
    expect(propose(ruled([1, 1], any), pay("1"))).toBe(false);
    expect(propose(ruled([1, 1], { ...any, spend: 2 }), pay("1"))).toBe(true);
    expect(propose(ruled([1, 1], { ...any, waitOver: "10" }), [...pay("5"), ...pay("5")])).toBe(false);
    expect(propose(ruled([1, 1], { ...any, waitOver: "10" }), [...pay("5"), ...pay("6")])).toBe(true);
    expect(propose(ruled([1, 1], { ...any, manageWaits: true }), [setRule(me, ruleOf(mine))])).toBe(true);
  });
});

test("since when a key acts is read from what was done to the account", () => {
  const event = (time: number, name: string, fields: object) => ({ time: new Date(time).toISOString(), event: { name, fields } }) as unknown as AccountEvent;
  const rule = (...keys: string[]) => ({ rule: { keys: keys.map((key) => ({ key })) } });
  const events = [event(4, "account.rule_set", rule("b", "c")), event(3, "account.frozen", {}), event(2, "account.rule_set", rule(me, "b")), event(1, "account.opened", {})];
  expect([...sinceWhen(me, events)]).toEqual([["b", 2], ["c", 4]]);
  expect([...sinceWhen(me, events.slice(2))]).toEqual([[me, 1], ["b", 2]]);
});

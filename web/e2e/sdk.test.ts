import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";

import { Anchor, Client, agreementFile, check, cryptoSigner, generateKey, keyAddress, openAccount, parseUnits, recover, sign } from "@dureledger/dure";
import { secretSigner } from "@dureledger/dure/secret";

import { dure, genesis, nodes, secret } from "./network.js";

const nobody = "http://127.0.0.1:1";
const anchor = Anchor.fromGenesis(genesis);
const alice = secretSigner("ed25519", secret("alice"));
const bob = secretSigner("ed25519", secret("bob"));

test("a payment goes by the next node when the first does not answer, is watched, and proven", async () => {
  const client = new Client({ nodes: [nobody, ...nodes], network: anchor.network });
  const to = keyAddress(bob.key);
  const stop = new AbortController();
  const seen = client.watch({ account: to }, stop.signal);
  const next = seen.next();
  const before = (await client.balances(to)).find((b) => b.asset === "krw")?.amount ?? "0";
  const { id } = await client.pay({ asset: "krw", from: keyAddress(alice.key), to, amount: parseUnits("12,500", 0), memo: "점심" }, alice);

  expect((await next).value?.transaction.id).toBe(id);
  stop.abort();
  const after = (await client.balances(to)).find((b) => b.asset === "krw")?.amount ?? "0";
  expect(BigInt(after) - BigInt(before)).toBe(12_500n);

  const { file, verified } = await client.receipt(id, anchor);
  expect([verified.ok, verified.basis.genesis, verified.validators]).toEqual([true, true, 4]);
  const path = join(mkdtempSync(join(tmpdir(), "dure-")), "r.dure");
  writeFileSync(path, file);
  expect(dure("receipt", "verify", path)).toContain(id);
});

test("keys of WebCrypto and secp256k1 act for accounts that a sponsor opens", async () => {
  const client = new Client({ nodes });
  const bank = secretSigner("ed25519", secret("bank"));
  for (const signer of [await cryptoSigner(await generateKey("p256")), await cryptoSigner(await generateKey("ed25519")), secretSigner("secp256k1", crypto.getRandomValues(new Uint8Array(32)))]) {
    const account = keyAddress(signer.key);
    expect(await client.account(account)).toBeUndefined();
    check(await client.send({ actions: [openAccount({ sponsor: keyAddress(bank.key), key: signer.key })] }, [bank]));
    await client.pay({ asset: "krw", from: keyAddress(alice.key), to: account, amount: "10" }, alice);
    await client.pay({ asset: "krw", from: account, to: keyAddress(bob.key), amount: "4" }, signer);
    expect((await client.balances(account)).map((b) => [b.asset, b.amount])).toEqual([["krw", "6"]]);
    await expect(client.pay({ asset: "krw", from: account, to: keyAddress(bob.key), amount: "7" }, signer)).rejects.toMatchObject({ code: "asset.insufficient_balance" });
  }
});

test("an account reads its own at a node that answers by account, with whatever kind of key", async () => {
  const closed = nodes.slice(-1);
  const quantum = secretSigner("ml-dsa-65", new Uint8Array(32).fill(7));
  const bank = secretSigner("ed25519", secret("bank"));
  const me = keyAddress(quantum.key);
  check(await new Client({ nodes }).send({ actions: [openAccount({ sponsor: keyAddress(bank.key), key: quantum.key })] }, [bank]));
  await expect(new Client({ nodes: closed }).account(me)).rejects.toMatchObject({ code: "access.token_needed" });

  let asked = 0;
  const client = new Client({ nodes: closed, reader: () => Promise.resolve({ account: me, signer: (asked++, quantum) }) });
  expect((await client.account(me))?.keyKind).toBe("ml-dsa-65");
  await expect(client.balances(keyAddress(bob.key))).rejects.toMatchObject({ code: "access.not_yours" });
  const stop = new AbortController();
  const next = client.watch({ account: me }, stop.signal).next();
  await client.pay({ asset: "krw", from: keyAddress(alice.key), to: me, amount: "10" }, alice);
  const { id } = await client.pay({ asset: "krw", from: me, to: keyAddress(bob.key), amount: "4" }, quantum);
  expect((await next).value?.transaction.outcome?.status).toBe("ok");
  stop.abort();
  expect((await client.receipt(id, anchor)).verified.ok).toBe(true);
  expect(asked).toBe(1);
  await expect(new Client({ nodes: closed, reader: () => Promise.resolve({ account: me, signer: alice }) }).account(me)).rejects.toMatchObject({ code: "access.key_not_acting" });
});

test("the state is proven, and so is that something is not in it", async () => {
  const client = new Client({ nodes: nodes.slice(0, 1) });
  const key = new Uint8Array([...Buffer.from("Aa"), ...Buffer.from(keyAddress(alice.key).slice(2), "hex")]);
  const { value, verified } = await client.stateProof(key, anchor);
  expect(value?.length).toBeGreaterThan(20);
  expect(verified.validators).toBe(4);
  expect((await client.stateProof(Buffer.from("Aa nobody"), anchor)).value).toBeUndefined();
});

test("a request for the sponsor of a lost account is a file that dure agree signs and submits", async () => {
  const client = new Client({ nodes });
  const network = await client.network();
  const to = secretSigner("ed25519", crypto.getRandomValues(new Uint8Array(32)));
  const [account, by] = [keyAddress(bob.key), keyAddress(secretSigner("ed25519", secret("bank")).key)];
  const once = crypto.getRandomValues(new Uint8Array(32));
  const { raw } = await sign(network, { actions: [recover({ account, by, to: to.key })], once, validity: 3_600_000 }, [to]);
  const file = join(mkdtempSync(join(tmpdir(), "dure-")), "request.agree");
  writeFileSync(file, agreementFile(network, raw));
  dure("agree", "sign", file, "--as", "bank", "--yes");
  dure("agree", "submit", file);
  const request = (await client.accountDetails(account))?.recovery?.request;
  expect([request?.key, request?.bySponsor]).toEqual([keyAddress(to.key), true]);
  dure("account", "recover", "object", "bob");
});

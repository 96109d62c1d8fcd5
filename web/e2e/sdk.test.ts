import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";

import { Anchor, Client, check, cryptoSigner, generateKey, keyAddress, openAccount, parseUnits } from "@dureledger/dure";
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

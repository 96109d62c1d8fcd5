// A holder in the SDK: what the city issued is read, verified at the members' nodes, shown to sites that ask, and refused when it should be.
import { beforeAll, expect, test } from "vitest";

import { Client, generateKey, keyText } from "@dureledger/dure";
import { type HolderKey, choose, answerRequest, fetchRequest, holderKey, present, readCredential, refuseRequest, verifyCredential } from "@dureledger/dure/credential";

import { license, network, read, path, write } from "./city.js";
import { dure, dureSays, nodes } from "./network.js";
import { issuer, pair } from "./others.js";

const schema = "residence";
const client = new Client({ nodes, network });
const to = { audience: "https://shop.example", nonce: "n-1" };

let mine: HolderKey;
let text: string;
beforeAll(async () => {
  license(schema, 8);
  mine = await holderKey(await generateKey());
  text = issue("mine.cred", 1, "--expires", "30d");
});

function issue(name: string, entry: number, ...more: string[]): string {
  dure("credential", "issue", "--by", "city", "--schema", schema, "--to", keyText(mine.key), "--claim", "name=김하늘", "--claim", "district=sau", "--status-list", "8", "--index", String(entry), "--out", path(name), ...more);
  return read(name);
}

const refused = (code: string) => expect.objectContaining({ name: "Refusal", code });

test("a credential is verified, shown with a browser's key, and verified by site and command line", async () => {
  expect(await verifyCredential(client, text)).toMatchObject({ presented: false, keyReplaced: undefined, over: "" });
  const shown = await present(readCredential(text), mine, ["district"], to);
  const verified = await verifyCredential(client, shown, { to, schemas: [schema] });
  expect(verified).toMatchObject({ presented: true, credential: { schema, fields: [{ path: "district", value: "sau", hidden: true }] } });
  expect(dure("credential", "verify", write("shown.cred", shown), "--aud", to.audience, "--nonce", to.nonce)).toContain("VERIFIED");
});

test("what does not hold is refused", async () => {
  const shown = await present(readCredential(text), mine, ["district"], to);
  const now = Date.now();
  const thief = await holderKey(await generateKey());
  const [issued = "", first = "", second = ""] = text.split("~");
  const flipped = issued.slice(0, -9) + (issued.at(-9) === "A" ? "B" : "A") + issued.slice(-8);
  const header = JSON.parse(Buffer.from(issued.split(".")[0] ?? "", "base64url").toString()) as object;
  const none = [Buffer.from(JSON.stringify({ ...header, alg: "none" })).toString("base64url"), ...issued.split(".").slice(1)].join(".");
  const added = Buffer.from('["salt","accredited",true]').toString("base64url");
  const bank = pair("bank");
  const other = pair("shop");
  const crafted = (of: typeof bank, change: object) =>
    issuer(of).issue({ iss: `did:dure:${network}:${pair("city").address}`, vct: `did:dure:${network}/schema/${schema}`, iat: Math.floor(now / 1000), cnf: { jwk: bank.jwk as never }, ...change }, { _sd: [] } as never, { header: { jwk: of.jwk } });
  for (const [what, given, code, check] of [
    ["for another verifier", shown, "credential.wrong_audience", { to: { ...to, audience: "https://thief.example" } }],
    ["replayed", shown, "credential.wrong_nonce", { to: { ...to, nonce: "n-2" } }],
    ["shown long ago", shown, "credential.stale", { to, now: now + 3_600_000 }],
    ["by nobody", text, "credential.not_bound", { to }],
    ["more than was signed", shown.replace("~", `~${[first, second].find((d) => !shown.includes(d))}~`), "credential.altered", { to }],
    ["forged", `${flipped}~${first}~`, "credential.bad_signature", {}],
    ["alg none", `${none}~${first}~`, "credential.bad_algorithm", {}],
    ["a disclosure added", `${text}${added}~`, "credential.foreign_disclosure", {}],
    ["a disclosure twice", `${text}${first}~`, "credential.duplicate_digest", {}],
    ["too large", `${text}${"A".repeat(64 << 10)}`, "credential.too_large", {}],
    ["expired", text, "credential.expired", { now: now + 31 * 86_400_000 }],
    ["not yet valid", issue("later.cred", 2, "--not-before", "2d"), "credential.not_yet_valid", {}],
    ["another schema", text, "credential.wrong_schema", { schemas: ["diploma"] }],
    ["another issuer", text, "credential.wrong_issuer", { issuers: [bank.address as `0x${string}`] }],
    ["another's key under the city's name", await crafted(other, {}), "credential.wrong_issuer_key", {}],
    ["an issuer without a licence", await crafted(bank, { iss: `did:dure:${network}:${bank.address}` }), "credential.not_licensed", {}],
    ["beyond the licence", await crafted(pair("city"), { vct: `did:dure:${network}/schema/diploma` }), "credential.not_licensed", {}],
    ["another ledger's", await crafted(pair("city"), { iss: `did:dure:other-1:${bank.address}`, vct: `did:dure:other-1/schema/${schema}` }), "credential.wrong_network", {}],
    ["no such list", await crafted(pair("city"), { status: { status_list: { idx: 0, uri: `did:dure:${network}:${pair("city").address}/status/99` } } }), "credential.bad_status_list", {}],
    ["no such entry", await crafted(pair("city"), { status: { status_list: { idx: 64, uri: `did:dure:${network}:${pair("city").address}/status/8` } } }), "credential.status_out_of_range", {}],
  ] as const) {
    await expect(verifyCredential(client, given, check), what).rejects.toEqual(refused(code));
  }
  await expect(present(readCredential(text), thief, [], to)).rejects.toEqual(refused("credential.wrong_holder"));

  issue("gone.cred", 3);
  const gone = read("gone.cred");
  for (const [state, code] of [["suspended", "credential.suspended"], ["revoked", "credential.revoked"]] as const) {
    dure("credential", "revoke", path("gone.cred"), "--by", "city", "--state", state);
    await expect(verifyCredential(client, gone)).rejects.toEqual(refused(code));
  }
  dure("credential", "revoke", path("gone.cred"), "--by", "city", "--state", "valid");
  await verifyCredential(client, gone);
});

test("what became of the issuer since counts", async () => {
  const desk = (name: string): string => {
    dure("key", "new", name);
    dure("account", "open", name, "--sponsor", "city");
    dure("org", "admit", name, "--name", name, "--kind", "public-body", "--by", "city");
    dure("id", "licence", "give", schema, name, "--until", "90d", "--by", "city");
    dure("credential", "issue", "--by", name, "--schema", schema, "--to", keyText(mine.key), "--claim", "district=sau", "--out", path(`${name}.cred`));
    return read(`${name}.cred`);
  };
  const [closed, crooked] = [desk("desk-1"), desk("desk-2")];
  expect(await verifyCredential(client, closed)).toMatchObject({ keyReplaced: undefined, over: "" });

  // A key that is replaced signed what it signed; the right that is given up leaves what was issued.
  dure("key", "new", "desk-1-new");
  dure("account", "rotate-key", "desk-1", "--to", "desk-1-new");
  dure("id", "licence", "revoke", schema, "desk-1", "--reason", "ended", "--by", "city");
  const verified = await verifyCredential(client, closed);
  expect(verified.keyReplaced).toBeGreaterThan(Date.now() - 600_000);
  expect(verified.over).toContain("(ended)");

  dure("id", "licence", "revoke", schema, "desk-2", "--reason", "breach", "--by", "city");
  await expect(verifyCredential(client, crooked)).rejects.toEqual(refused("credential.not_licensed"));
  dure("account", "freeze", "desk-2", "--by", "city", "--basis", "owner-request", "--reason", "a test", "--until", "1h");
  await expect(verifyCredential(client, crooked)).rejects.toEqual(refused("credential.issuer_frozen"));
  for (const key of ["chair", "clerk"]) dure("key", "new", key);
  dure("account", "rule", "set", "desk-1", write("rule.yaml", "keys: {chair: 1, clerk: 1}\nspend: 2\nmanage: 2\nother: 2\n"));
  await expect(verifyCredential(client, closed)).rejects.toEqual(refused("credential.issuer_ruled"));
});

test.each([["plain", []], ["encrypted", ["--encrypt"]]])("a site asks, and is answered once, %s", async (_, flags) => {
  const site = dureSays("--json", "credential", "ask", "--schema", schema, "--claim", "district", "--by", "shop", ...flags);
  const { request: link } = JSON.parse(await site.first) as { request: string };
  const request = await fetchRequest(client, link);
  expect(request.verifier).toEqual({ network, account: pair("shop").address });
  const chosen = choose(request.query, [readCredential(text)]);
  expect(chosen.map((a) => a.shown)).toEqual([["district"]]);
  expect(await answerRequest(request, chosen, mine)).toBeUndefined();
  expect(await site.all).toContain('{"field":"district","value":"sau"');
});

test("a site is told no, and one that says that it is another is not answered", async () => {
  const site = dureSays("--json", "credential", "ask", "--schema", schema, "--claim", "name", "--by", "shop");
  const { request: link } = JSON.parse(await site.first) as { request: string };
  const another = link.replace(pair("shop").address, pair("bank").address);
  await expect(fetchRequest(client, another)).rejects.toEqual(refused("credential.wrong_issuer_key"));
  await refuseRequest(await fetchRequest(client, link));
  expect(await site.all).toContain("does not agree");
});

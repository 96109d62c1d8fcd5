// Credentials of this ledger in other implementations, and theirs here: what is issued, shown, asked for and answered on one side is read on the other.
import { randomBytes } from "node:crypto";
import { Openid4vpClient, Openid4vpVerifier } from "@openid4vc/openid4vp";
import { DcqlQuery } from "dcql";
import { exportJWK, generateKeyPair } from "jose";
import { afterAll, beforeAll, expect, test } from "vitest";

import { license, network, path, read, write } from "./city.js";
import { dure, dureBeside, dureSays } from "./network.js";
import { type Pair, callbacks, checker, holder, issuer, keyOf, pair } from "./others.js";
import { Site } from "./site.js";

const did = (of: Pair): string => `did:dure:${network}:${of.address}`;
const schema = "certificate";
const vct = `did:dure:${network}/schema/${schema}`;
const city = pair("city");
const alice = pair("alice");
const shop = pair("shop");

/** ours issues a credential to alice with the command line; it has that entry of the city's list. */
function ours(name: string, entry: number): string {
  dure("credential", "issue", "--by", "city", "--schema", schema, "--to", "alice", "--claim", "name=김하늘", "--claim", "district=sau", "--claim", "tag=a", "--claim", "tag=b",
    "--status-list", "7", "--index", String(entry), "--out", path(name));
  return read(name);
}

/** theirs issues one with @sd-jwt/sd-jwt-vc, by the city's key. */
const theirs = (change: Record<string, unknown> = {}): Promise<string> =>
  issuer(city).issue(
    { iss: did(city), vct, iat: Math.floor(Date.now() / 1000), exp: Math.floor(Date.now() / 1000) + 3600, cnf: { jwk: alice.jwk as never }, status: { status_list: { idx: 9, uri: `${did(city)}/status/7` } },
      name: "김하늘", district: "sau", tag: ["a", "b"], ...change },
    { _sd: ["name", "district"], tag: { _sd: [0, 1] } },
    { header: { jwk: city.jwk, kid: `${did(city)}#${city.address}` } },
  );

/** statuses is the city's list as the ledger has it, signed as a Status List Token. */
const statuses = (): string => dure("credential", "status", "token", "7", "--by", "city");

beforeAll(() => license(schema, 7));

test("issued here, shown and verified by another's wallet and verifier", async () => {
  const text = ours("alice.cred", 3);
  const wallet = holder(alice);
  expect((await wallet.presentableKeys(text)).sort()).toEqual(["district", "name", "tag.0", "tag.1"]);
  const kb = { payload: { iat: Math.floor(Date.now() / 1000), aud: "https://shop.example", nonce: "n-1" } };
  const shown = await wallet.present(text, { district: true, tag: { 1: true } }, { kb });

  const verified = await checker(await keyOf(shown), statuses()).verify(shown, { keyBindingNonce: "n-1" });
  expect(verified.payload).toMatchObject({ iss: did(city), vct, district: "sau", tag: ["b"] });
  expect(verified.payload).not.toHaveProperty("name");
  expect(verified.kb?.payload.aud).toBe("https://shop.example");

  // The wallet is another's, and who verifies is the ledger's.
  const verify = (...more: string[]): string => dure("credential", "verify", write("shown.cred", shown), "--aud", "https://shop.example", ...more);
  expect(verify("--nonce", "n-1")).toContain("VERIFIED");
  expect(() => verify("--nonce", "n-2")).toThrow(/answers another request/);
});

test("issued with another's library, read, shown and verified here", async () => {
  const file = write("theirs.cred", await theirs());
  expect(dure("credential", "show", file)).toContain("김하늘");
  expect(dure("credential", "verify", file)).toContain("VERIFIED");
  const shown = dure("credential", "present", file, "--disclose", "district,tag.1", "--aud", "https://shop.example", "--nonce", "n-1");
  const { payload } = await checker(city.jwk, statuses()).verify(shown, { keyBindingNonce: "n-1" });
  expect(payload).toMatchObject({ district: "sau", tag: ["b"] });
  expect(payload).not.toHaveProperty("name");

  for (const [change, why] of [
    [{ exp: 1_700_000_000 }, /time was over/],
    [{ nbf: 4_000_000_000 }, /valid from/],
    [{ iss: did(shop), status: undefined }, /did not act for/],
    [{ vct: `did:dure:${network}/schema/diploma` }, /no right/],
    [{ status: { status_list: { idx: 64, uri: `${did(city)}/status/7` } } }, /entry 64 of a status list of 64/],
    [{ status: { status_list: { idx: 0, uri: "https://city.example/status/7" } } }, /https:..city.example/],
  ] as const) {
    const bad = write("bad.cred", await theirs(change));
    expect(() => dure("credential", "verify", bad), JSON.stringify(change)).toThrow(why);
  }
});

test("revoked here, and refused by another's verifier with the list's token", async () => {
  const text = ours("bob.cred", 5);
  const before = statuses();
  const { payload } = await checker(city.jwk, before).verify(text);
  expect(payload.status).toEqual({ status_list: { idx: 5, uri: `${did(city)}/status/7` } });
  dure("credential", "revoke", path("bob.cred"), "--by", "city");
  await expect(checker(city.jwk, statuses()).verify(text)).rejects.toThrow(/[Ss]tatus is not valid/);
  // The list of before, under the signature of now, is nobody's.
  const forged = [...before.split(".").slice(0, 2), statuses().split(".")[2]].join(".");
  await expect(checker(city.jwk, forged).verify(text)).rejects.toThrow(/[Ss]ignature/);
});

/** answered plays another's wallet: it reads the link, asks the ledger who asks, picks by DCQL, shows, and sends. */
async function answered(link: string, text: string): Promise<Response> {
  const client = new Openid4vpClient({ callbacks: callbacks() });
  const { params } = client.parseOpenid4vpAuthorizationRequest({ authorizationRequest: link });
  const { authorizationRequestPayload: asked, client: who, dcql } = await client.resolveOpenId4vpAuthorizationRequest({ authorizationRequestPayload: params as never });
  expect(who).toMatchObject({ prefix: "decentralized_identifier", identifier: did(shop) });
  const wallet = holder(alice);
  const query = DcqlQuery.parse(dcql?.query as DcqlQuery.Input);
  DcqlQuery.validate(query);
  const claims = (await wallet.getClaims(text)) as never;
  const found = DcqlQuery.query(query, [{ credential_format: "dc+sd-jwt", vct, claims, cryptographic_holder_binding: true }]);
  expect(found.can_be_satisfied).toBe(true);
  const frame = Object.fromEntries((query.credentials[0]?.claims ?? []).map((c) => [(c as { path: string[] }).path[0], true]));
  const kb = { payload: { iat: Math.floor(Date.now() / 1000), aud: asked.client_id as string, nonce: asked.nonce } };
  const vp = await wallet.present(text, frame as never, { kb });
  const encryption = asked.response_mode === "direct_post.jwt" ? { jarm: { encryption: { nonce: randomBytes(8).toString("hex") }, serverMetadata: { authorization_signing_alg_values_supported: [],
    authorization_encryption_alg_values_supported: ["ECDH-ES"], authorization_encryption_enc_values_supported: ["A256GCM"] } } } : {};
  const response = await client.createOpenid4vpAuthorizationResponse({ authorizationRequestPayload: asked, authorizationResponsePayload: { vp_token: { [query.credentials[0].id]: [vp] } }, ...encryption });
  const sent = await client.submitOpenid4vpAuthorizationResponse({ authorizationRequestPayload: asked as never, ...response });
  return sent.response;
}

test.each([["plain", []], ["encrypted", ["--encrypt"]]])("a site here asks another's wallet, %s", async (_, flags) => {
  const site = dureSays("--json", "credential", "ask", "--schema", schema, "--claim", "district", "--by", "shop", ...flags);
  const { request } = JSON.parse(await site.first) as { request: string };
  const response = await answered(request, await theirs());
  expect([response.status, await response.json()]).toEqual([200, {}]);
  expect(await site.all).toContain('{"field":"district","value":"sau"');
});

const site = new Site();
beforeAll(site.open);
afterAll(site.close);

test.each([
  ["signed", "direct_post", true], ["signed, to an encrypted answer", "direct_post.jwt", true], ["unsigned", "direct_post", false], ["unsigned, to an encrypted answer", "direct_post.jwt", false],
] as const)("a wallet here answers another's site, %s", async (_, response_mode, signs) => {
  const { privateKey, publicKey } = await generateKeyPair("ECDH-ES", { crv: "P-256", extractable: true });
  const mine = callbacks(shop, await exportJWK(privateKey));
  const verifier = new Openid4vpVerifier({ callbacks: mine });
  const response_uri = `${site.url}/response`;
  const query = { credentials: [{ id: "where", format: "dc+sd-jwt", meta: { vct_values: [vct] }, claims: [{ path: ["district"] }, { path: ["tag", null], values: ["b"] }] }] };
  const encrypted = { jwks: { keys: [{ ...(await exportJWK(publicKey)), kid: "k1", use: "enc", alg: "ECDH-ES" }] }, encrypted_response_enc_values_supported: ["A128GCM", "A256GCM"] };
  const made = await verifier.createOpenId4vpAuthorizationRequest({
    authorizationRequestPayload: { client_id: signs ? `decentralized_identifier:${did(shop)}` : `redirect_uri:${response_uri}`, response_type: "vp_token", response_mode, response_uri, nonce: randomBytes(16).toString("hex"), state: "s1",
      dcql_query: query, client_metadata: { vp_formats_supported: { "dc+sd-jwt": { "sd-jwt_alg_values": ["EdDSA"], "kb-jwt_alg_values": ["EdDSA"] } }, ...(response_mode === "direct_post.jwt" ? encrypted : {}) } as never },
    ...(signs ? { jar: { requestUri: `${site.url}/request`, expiresInSeconds: 300, additionalJwtPayload: { aud: "https://self-issued.me/v2" }, jwtSigner: { method: "did", alg: "EdDSA", didUrl: `${did(shop)}#${shop.address}` } } as const } : {}),
  });
  site.request = made.jar?.authorizationRequestJwt ?? "";

  expect(await dureBeside("credential", "present", write("mine.cred", await theirs()), "--yes", "--request", made.authorizationRequest)).toContain(`${site.url}/done`);
  const answer = await verifier.parseOpenid4vpAuthorizationResponse({ callbacks: mine, authorizationResponse: site.posted, authorizationRequestPayload: made.authorizationRequestPayload as never });
  if (answer.type !== "dcql") throw new Error("no answer to DCQL");
  const [vp] = answer.dcql.presentations["where"] ?? [];
  const { payload, kb } = await checker(city.jwk, statuses()).verify(vp as string, { keyBindingNonce: answer.expectedNonce });
  expect(payload).toMatchObject({ district: "sau", tag: ["b"] });
  expect(payload).not.toHaveProperty("name");
  expect(kb?.payload.aud).toBe(made.authorizationRequestPayload.client_id);
});

import { createHash, generateKeyPairSync, randomBytes, sign } from "node:crypto";
import { SDJwtVcInstance } from "@sd-jwt/sd-jwt-vc";
import { DcqlQuery } from "dcql";
import { describe, expect, test } from "vitest";

import { generateKey, keyText } from "@dureledger/dure";
import { type Credential, choose, fetchRequest, holderKey, parseQuery, present, readCredential } from "@dureledger/dure/credential";

import { Client } from "../src/client.js";
import { type JsonObject, parseObject } from "../src/credential/json.js";
import { parseJws, readJwk, verifyJws } from "../src/credential/jws.js";
import { bind, digest, parseSdJwt, select } from "../src/credential/sdjwt.js";
import { readJson } from "./vectors.js";

interface Example {
  name: string;
  aud?: string;
  nonce?: string;
  sd_jwt: string;
  claims: JsonObject;
}

describe.each(["rfc9901", "sd-jwt-vc"])("the examples of %s", (file) => {
  const { issuer, examples } = readJson<{ issuer: JsonObject; examples: Example[] }>(`client/credential/sdjwt/testdata/${file}.json`);
  test.each(examples)("$name", ({ sd_jwt, claims, nonce, aud }) => {
    const token = parseSdJwt(sd_jwt);
    verifyJws(token.issued, readJwk(issuer), "example+sd-jwt", "vc+sd-jwt", "dc+sd-jwt");
    expect(token.claims).toEqual(claims);
    if (!nonce || !token.binding) return;
    verifyJws(token.binding, readJwk((token.claims["cnf"] as JsonObject)["jwk"]), "kb+jwt");
    expect(token.binding.payload).toMatchObject({ nonce, aud, sd_hash: digest(token.unbound) });
  });
});

const { privateKey, publicKey } = generateKeyPairSync("ed25519");
const jwk = publicKey.export({ format: "jwk" }) as JsonObject;
const base64url = (v: unknown): string => Buffer.from(typeof v === "string" ? v : JSON.stringify(v)).toString("base64url");

/** signed is a JWS of a payload as it is. */
function signed(payload: unknown, header: JsonObject = { alg: "EdDSA", typ: "dc+sd-jwt" }): string {
  const input = `${base64url(header)}.${base64url(payload)}`;
  return `${input}.${sign(null, Buffer.from(input), privateKey).toString("base64url")}`;
}

const refused = (code: string) => expect.objectContaining({ name: "Refusal", code });

/** thrown is what a function refuses with. */
function thrown(f: () => unknown): unknown {
  try {
    f();
  } catch (err) {
    return err;
  }
  return undefined;
}

test("what RFC 9901 says must be refused is refused", () => {
  const name = base64url(["salt", "name", "Kim"]);
  const element = base64url(["salt", "Kim"]);
  const [n, e] = [digest(name), digest(element)];
  const deep = `{"a":${"[".repeat(30)}${"]".repeat(30)}}`;
  for (const [payload, code, ...disclosures] of [
    [{ a: 1 }, "credential.foreign_disclosure", name],
    [{ _sd: [n] }, "credential.duplicate_digest", name, name],
    [{ _sd: [n, n] }, "credential.duplicate_digest"],
    [{ _sd: [n], a: [{ "...": n }] }, "credential.duplicate_digest"],
    [{ _sd: [n], name: "Lee" }, "credential.duplicate_claim", name],
    [{ _sd: [n], _sd_alg: "md5" }, "credential.bad_algorithm", name],
    [{ _sd: [e] }, "credential.malformed", element],
    [{ a: [{ "...": n }] }, "credential.malformed", name],
    [{ a: [{ "...": n, b: 1 }] }, "credential.malformed", name],
    [{ a: { "...": n } }, "credential.malformed"],
    [{ _sd: n }, "credential.malformed"],
    [{ _sd: [1] }, "credential.malformed"],
    [{ _sd: null }, "credential.malformed"],
    [{ a: { _sd_alg: "sha-256" } }, "credential.malformed"],
    ['{"a":1,"a":2}', "credential.malformed"],
    ['{"a":1,"\\u0061":2}', "credential.malformed"],
    ['{"__proto__":{"admin":true}}', "credential.malformed"],
    ['{"a":1} {}', "credential.malformed"],
    ["[]", "credential.malformed"],
    [deep, "credential.too_large"],
    [{}, "credential.malformed", base64url(["salt", "_sd", "x"])],
    [{}, "credential.malformed", base64url(["salt", "__proto__", "x"])],
    [{}, "credential.malformed", base64url(["salt"])],
    [{}, "credential.malformed", base64url([1, "name", "x"])],
    [{}, "credential.malformed", "a=b"],
    [{}, "credential.too_large", ...(Array(257).fill("e30") as string[])],
    [{}, "credential.too_large", "A".repeat(64 << 10)],
  ] as [unknown, string, ...string[]][]) {
    expect(thrown(() => parseSdJwt([signed(payload), ...disclosures, ""].join("~"))), JSON.stringify(payload)).toEqual(refused(code));
  }
  expect(parseObject(Buffer.from('{"a":"b:c\\":","d":{"e":":"}}'))).toEqual({ a: 'b:c":', d: { e: ":" } });
});

test("the key says which algorithm counts", () => {
  const key = readJwk(jwk);
  for (const alg of ["none", "None", "HS256", "ES256", "RS256", ""]) {
    expect(thrown(() => verifyJws(parseJws(signed({}, { alg, typ: "dc+sd-jwt" })), key, "dc+sd-jwt"))).toEqual(refused("credential.bad_algorithm"));
  }
  verifyJws(parseJws(signed({}, { alg: "Ed25519", typ: "dc+sd-jwt" })), key, "dc+sd-jwt");
  expect(thrown(() => verifyJws(parseJws(signed({})), key, "kb+jwt"))).toEqual(refused("credential.wrong_type"));
  const other = generateKeyPairSync("ed25519").publicKey.export({ format: "jwk" }) as JsonObject;
  expect(thrown(() => verifyJws(parseJws(signed({})), readJwk(other), "dc+sd-jwt"))).toEqual(refused("credential.bad_signature"));
  expect(thrown(() => readJwk({ ...jwk, d: "AA" }))).toEqual(refused("key.malformed"));
  expect(thrown(() => parseJws(signed({}, { alg: "EdDSA", crit: ["x"] })))).toEqual(refused("credential.malformed"));
});

/** issue makes a credential of a schema, each member of which can be withheld, with another implementation. */
async function issue(schema: string, claims: Record<string, unknown>, holder: JsonObject = jwk): Promise<string> {
  const issuer = new SDJwtVcInstance({ signer: (data) => sign(null, Buffer.from(data), privateKey).toString("base64url"), signAlg: "EdDSA", hashAlg: "sha-256",
    hasher: (data) => createHash("sha256").update(typeof data === "string" ? data : new Uint8Array(data)).digest(), saltGenerator: (n) => randomBytes(n).toString("base64url") });
  const about = { iss: "did:dure:test-0a1b:0x8ba1f109551bD432803012645Ac136ddd64DBA72", vct: `did:dure:test-0a1b/schema/${schema}`, iat: 1_795_942_800, cnf: { jwk: holder as never } };
  return issuer.issue({ ...about, ...claims }, { _sd: Object.keys(claims) } as never, { header: { jwk } });
}

interface DcqlVector {
  name: string;
  query: JsonObject;
  held: { schema: string; claims: Record<string, unknown> }[];
  shown: Record<string, string[]> | null;
}

test.each(readJson<DcqlVector[]>("client/credential/openid4vp/testdata/dcql.json"))("DCQL: $name", async ({ query, held, shown }) => {
  const mine: Credential[] = [];
  for (const h of held) mine.push(readCredential(await issue(h.schema, h.claims)));
  const answers = thrown(() => choose(parseQuery(query), mine));
  if (shown === null) expect(answers).toEqual(refused("presentation.no_match"));
  else expect(Object.fromEntries(choose(parseQuery(query), mine).map((a) => [a.query, [...a.disclose].sort()]))).toEqual(shown);

  // Another implementation of DCQL, asked the same.
  const parsed = DcqlQuery.parse(query as unknown as DcqlQuery.Input);
  DcqlQuery.validate(parsed);
  const theirs = DcqlQuery.query(parsed, mine.map((c) => ({ credential_format: "dc+sd-jwt", vct: c.claims["vct"] as string, claims: c.claims as never, cryptographic_holder_binding: true })));
  expect(theirs.can_be_satisfied).toBe(shown !== null);
});

test("a query that is none is refused", () => {
  const meta = { vct_values: ["x"] };
  const one = (more: JsonObject): JsonObject => ({ credentials: [{ id: "a", format: "dc+sd-jwt", meta, ...more }] });
  for (const query of [{}, { credentials: 1 }, one({ meta: {} }), one({ id: "a b" }), one({ claims: [{ path: [] }] }), one({ claims: [{ path: [-1] }] }), one({ claims: [{ path: [1.5] }] }), one({ claims: [{ path: [true] }] }),
    one({ claims: [{ path: ["a"], values: [{}] }] }), one({ claim_sets: [["a"]] }), { ...one({}), credential_sets: [{ options: [["b"]] }] }, { ...one({}), credential_sets: [{ options: [] }] }] as JsonObject[]) {
    expect(thrown(() => parseQuery(query)), JSON.stringify(query)).toEqual(refused("presentation.bad_request"));
  }
  expect(thrown(() => parseQuery(one({ trusted_authorities: [{ type: "aki" }] })))).toEqual(refused("presentation.unsupported"));
  expect(thrown(() => parseQuery(one({ require_cryptographic_holder_binding: false })))).toEqual(refused("presentation.unsupported"));
});

test("a holder's key shows what is chosen, and its signature is over just that", async () => {
  const key = await holderKey(await generateKey());
  expect(keyText(key.key)).toMatch(/^p256:0[23]/);
  const pair = await generateKey("ed25519");
  const mine = await holderKey(pair);
  const exported = (await crypto.subtle.exportKey("jwk", pair.publicKey)) as unknown as JsonObject;
  const c = readCredential(await issue("resident", { name: "김하늘", district: "sau" }, { kty: "OKP", crv: "Ed25519", x: exported["x"] as string }));
  expect(c.fields.map((f) => [f.path, f.value, f.hidden])).toEqual([["district", "sau", true], ["name", "김하늘", true]]);
  const shown = readCredential(await present(c, mine, ["district"], { audience: "https://shop.example", nonce: "n-1" }));
  expect(shown.fields.map((f) => f.path)).toEqual(["district"]);
  verifyJws(shown.token.binding!, mine.key, "kb+jwt");
  expect(shown.token.binding!.payload["sd_hash"]).toBe(digest(shown.token.unbound));
  await expect(present(c, key, [], { audience: "a", nonce: "b" })).rejects.toEqual(refused("credential.wrong_holder"));
  await expect(present(c, mine, ["salary"], { audience: "a", nonce: "b" })).rejects.toEqual(refused("credential.no_such_field"));
  expect(await bind(select(c.token, () => false), mine, "a", "b", 0)).toContain("~");
});

test("what a link may say", async () => {
  const client = new Client({ nodes: ["http://127.0.0.1:1"], network: "test-0a1b" });
  const query = encodeURIComponent(JSON.stringify({ credentials: [{ id: "a", format: "dc+sd-jwt", meta: { vct_values: ["x"] } }] }));
  const uri = "https%3A%2F%2Fshop.example%2Fr";
  const good = `openid4vp://?client_id=redirect_uri%3A${uri}&response_uri=${uri}&response_type=vp_token&response_mode=direct_post&nonce=n1&state=s1&dcql_query=${query}`;
  expect(await fetchRequest(client, good)).toMatchObject({ clientId: "redirect_uri:https://shop.example/r", responseUri: "https://shop.example/r", verifier: undefined, nonce: "n1", state: "s1", encryption: undefined });
  for (const [from, to, code] of [
    ["client_id=redirect_uri", "client_id=x509_san_dns", "presentation.unsupported"],
    [`response_uri=${uri}`, "response_uri=https%3A%2F%2Fthief.example%2Fr", "presentation.mixed_up"],
    [`response_uri=${uri}`, "response_uri=http%3A%2F%2Fshop.example%2Fr", "presentation.bad_link"],
    ["direct_post&", "fragment&", "presentation.unsupported"],
    ["direct_post&", "direct_post.jwt&", "presentation.unsupported"],
    ["nonce=n1", "nonce=", "presentation.bad_request"],
    ["nonce=n1", "nonce=n1&nonce=n2", "presentation.bad_request"],
    ["nonce=n1", "nonce=n1&transaction_data=%5B%5D", "presentation.unsupported"],
    ["nonce=n1", "nonce=n1&request_uri=file%3A%2F%2F%2Fetc%2Fpasswd", "presentation.bad_link"],
    ["nonce=n1", "nonce=n1&request=a.b.c", "presentation.unsupported"],
    ["nonce=n1", `nonce=${"n".repeat(64 << 10)}`, "presentation.too_large"],
  ] as const) {
    await expect(fetchRequest(client, good.replace(from, to)), to.slice(0, 60)).rejects.toEqual(refused(code));
  }
});

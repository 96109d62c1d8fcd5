import { p256 } from "@noble/curves/nist.js";
import { expect, test } from "vitest";

import { type Claim, Prover, claimToSign } from "../src/access.js";
import { readJson } from "./vectors.js";

test.each(readJson<(Claim & { digest: string })[]>("ledger/access/testdata/claim.json"))("the claim of ledger/access for $audience", ({ digest, ...claim }) => {
  expect(Buffer.from(claimToSign(claim).digest).toString("hex")).toBe(digest);
});

test("a proof is a JWT of RFC 9449 by the key that it carries", async () => {
  const prover = await Prover.make();
  const [head = "", body = "", signature = ""] = (await prover.prove("https://node.example/a/B", "token", 1_760_000_000)).split(".");
  const read = (part: string) => JSON.parse(Buffer.from(part, "base64url").toString()) as Record<string, never>;
  const { jwk, ...header } = read(head) as unknown as { jwk: { x: string; y: string } };
  expect(header).toEqual({ typ: "dpop+jwt", alg: "ES256" });
  const { jti, ...claims } = read(body);
  expect(claims).toEqual({ htm: "POST", htu: "https://node.example/a/B", iat: 1_760_000_000, ath: "PEaenWxYddN6Q_NT1PiOYfz4EsZu7jRXRlpAsNpBU-A" });
  expect(jti).toMatch(/^[\w-]{22}$/);
  const point = new Uint8Array([4, ...Buffer.from(jwk.x, "base64url"), ...Buffer.from(jwk.y, "base64url")]);
  expect(p256.verify(Buffer.from(signature, "base64url"), Buffer.from(`${head}.${body}`), point, { lowS: false })).toBe(true);
});

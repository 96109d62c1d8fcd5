import { expect, test } from "vitest";

import { KeyKind, action, formatAddress, sign, transfer } from "@dureledger/dure";

import { readSponsored } from "../src/sponsored.js";

const network = `test-${"0".repeat(32)}`;
const sponsor = formatAddress(new Uint8Array(20).fill(1));
const account = formatAddress(new Uint8Array(20).fill(2));
const recover = (kind = KeyKind.WEBAUTHN) =>
  action(sponsor, { case: "accountRecover", value: { account: new Uint8Array(20).fill(2), kind, publicKey: new Uint8Array(33).fill(3) } });
const place = async (...actions: ReturnType<typeof recover>[]) => {
  const { raw } = await sign(network, { actions, notAfter: 1000 }, []);
  return `sponsored/${Buffer.from(raw).toString("base64url")}/AQID`;
};

test("the page for recoveries reads a recovery to a passkey, and nothing else", async () => {
  const good = await place(recover());
  expect(readSponsored(good, 999)).toMatchObject({ account, sponsor, key: { kind: KeyKind.WEBAUTHN }, credentialId: Uint8Array.of(1, 2, 3) });
  expect(readSponsored(good, 1000), "too old").toBeUndefined();
  const payment = transfer({ asset: "krw", from: account, to: sponsor, amount: "1" });
  for (const [what, text] of [
    ["a payment", await place(payment)], ["a recovery with a payment", await place(recover(), payment)], ["another kind of key", await place(recover(KeyKind.ED25519))],
    ["no passkey", good.replace("/AQID", "")], ["more", `${good}/x`], ["no transaction", "sponsored/AQID/AQID"], ["no base64", "sponsored/*/AQID"],
    ["too long", `sponsored/${"A".repeat(20_000)}/AQID`], ["another place", good.replace("sponsored", "pay")],
  ] as const) {
    expect(readSponsored(text, 0), what).toBeUndefined();
  }
});

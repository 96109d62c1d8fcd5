// A person has two passkeys, loses one and then both, and is recovered by their sponsor. Usage:
// node keys.mjs FIRST-PORT WALLET HELPER FOLDER: the first port for signing in of dure up, one of the network's origins, the test's own server, which
// makes what is signed and submits it, and where pictures go.
import assert from "node:assert/strict";
import { createPrivateKey, createPublicKey } from "node:crypto";

import { browser, code, fine, person, picture, press } from "./people.mjs";

const [firstPort, wallet, helper] = process.argv.slice(2);
const [bank, operator, won] = [0, 2, 3].map((n) => `http://localhost:${Number(firstPort) + n}`);

// prove goes through the proofs of phone and bank account.
async function prove(page) {
  await page.getByLabel("이름").fill("성춘향");
  await page.getByLabel("휴대전화 번호").fill("010-2345-6789");
  await press(page, "인증번호 받기");
  await page.getByLabel("문자로 받은 인증번호").fill(await code(operator, /인증번호 (\d{6})/));
  await page.keyboard.press("Enter");
  await page.getByLabel("계좌번호").fill("220-987-654321");
  await press(page, "1원 보내기");
  await page.getByLabel("입금자 이름에 적힌 숫자").fill(await code(won, /두레(\d{4})/));
  await page.keyboard.press("Enter");
}

const ask = async (path, body) => {
  const answer = await fetch(`${helper}/${path}`, { method: "POST", body: JSON.stringify(body) });
  assert.equal(answer.status, 200, `${path}: ${answer.status}`);
  return answer.json();
};

// signs has passkeys sign what helper makes, each at the wallet's address, and submits it.
async function signs(what, ...phones) {
  const { challenge } = await ask("draft", what);
  const signatures = [];
  for (const phone of phones) {
    await phone.page.goto(`${wallet}/wallet/`);
    const signature = await phone.page.evaluate(async (text) => {
      const bytes = (b64) => Uint8Array.from(atob(b64), (c) => c.charCodeAt(0));
      const base64 = (buffer) => btoa(String.fromCharCode(...new Uint8Array(buffer)));
      const { response } = await navigator.credentials.get({ publicKey: { challenge: bytes(text), rpId: "localhost", userVerification: "required" } });
      return { authenticatorData: base64(response.authenticatorData), clientDataJSON: base64(response.clientDataJSON), signature: base64(response.signature) };
    }, challenge);
    signatures.push({ key: phone.spki, ...signature });
  }
  await ask("submit", { signatures });
}

// added makes a passkey at the wallet's address for an account, as one that is added to it.
const added = (phone, account) =>
  phone.page.evaluate(async (hex) => {
    const id = Uint8Array.from(hex.slice(2).match(/../g), (b) => parseInt(b, 16));
    const { response } = await navigator.credentials.create({ publicKey: {
      rp: { id: "localhost", name: "Dure" }, user: { id, name: "second", displayName: "second" }, challenge: new Uint8Array(32), pubKeyCredParams: [{ type: "public-key", alg: -7 }],
      authenticatorSelection: { residentKey: "required", userVerification: "required" },
    } });
    return btoa(String.fromCharCode(...new Uint8Array(response.getPublicKey())));
  }, account);

// opens goes to a page, again while it does not show what it will: the member that serves it may be a block behind the one that took a transaction.
async function opens(page, address, what) {
  const last = Date.now() + 15_000;
  do await page.goto(address);
  while (!(await what.isVisible()) && Date.now() < last);
  await what.waitFor();
}

const signIn = async (phone, shows) => {
  await phone.page.goto(bank);
  await press(phone.page, "패스키로 로그인");
  await phone.page.getByText(shows).first().waitFor();
};
const mine = "내 정보 지우기";

try {
  // The first phone makes the account.
  const first = await person();
  await first.page.goto(`${bank}/register`);
  await prove(first.page);
  await press(first.page, "패스키 만들기");
  await first.page.getByText("열쇠가 하나뿐입니다").waitFor();
  const account = (await first.page.locator("code.whole").first().innerText()).trim();
  const { credentials } = await first.cdp.send("WebAuthn.getCredentials", { authenticatorId: first.authenticatorId });
  first.spki = createPublicKey(createPrivateKey({ key: Buffer.from(credentials[0].privateKey, "base64"), format: "der", type: "pkcs8" })).export({ type: "spki", format: "der" }).toString("base64");

  // A second one is put into its rule and signs in; the first is taken out and does so no more.
  const second = await person();
  await second.page.goto(`${wallet}/wallet/`);
  second.spki = await added(second, account);
  await signs({ what: "rule", account, keys: [first.spki, second.spki] }, first, second);
  await signIn(second, mine);
  await fine(second.page);
  await picture(second.page, "keys", "#keys");
  await first.page.goto(bank);
  await first.page.getByText(mine).waitFor();
  await signs({ what: "rule", account, keys: [second.spki] }, second);
  await signIn(first, "signin.unknown_key"); // its session is over, and it begins none

  // Nobody has a key any more, as it seems: recovered by the sponsor with a new one.
  const third = await person();
  const { page } = third;
  async function recovers(pictures) {
    await page.goto(bank);
    await page.getByRole("link", { name: "계정 되찾기" }).click();
    await page.getByText("열쇠를 모두 잃었을 때").waitFor();
    await fine(page);
    await prove(page);
    await page.getByText(account).waitFor();
    await fine(page);
    if (pictures) await picture(page, "recover");
    await press(page, "새 패스키 만들기");
    const link = page.getByRole("link", { name: "지갑에서 서명하기" });
    await link.waitFor();
    await fine(page);
    if (pictures) await picture(page, "recover-sign");
    await page.goto(await link.getAttribute("href")); // in this tab: another has no authenticator in this browser
    await page.getByText("되찾아 주는 기관").waitFor();
    assert.ok((await page.locator("main").innerText()).includes(account));
    await fine(page);
    if (pictures) await picture(page, "recover-wallet");
    await press(page, "새 패스키로 서명");
    await page.getByText("되찾기를 시작했습니다").waitFor();
    await opens(page, `${bank}/recover`, page.getByRole("heading", { name: "계정을 되찾는 중입니다" }));
    await fine(page);
  }
  await recovers(true);
  await picture(page, "recover-wait");
  await page.goto(`${bank}/recover?lang=en`);
  await page.getByRole("heading", { name: "Your account is being recovered" }).waitFor();
  await fine(page);
  await page.goto(`${bank}/recover?lang=ko`);
  await signIn(third, "반대하면 되찾기는 없던 일이 됩니다");

  // The second phone is found again and objects.
  await second.page.goto(bank);
  await second.page.getByRole("alert").getByText("누군가 이 계정의 열쇠를 바꾸려 합니다").waitFor();
  await fine(second.page);
  await picture(second.page, "me-recovery");
  await signs({ what: "object", account }, second);
  await opens(page, `${bank}/recover`, page.getByText("signin.recovery_ended"));
  await signIn(third, "signin.unknown_key");

  // Again, and nobody objects.
  await recovers(false);
  await ask("move", { hours: 73 });
  await page.goto(bank);
  await press(page, "패스키로 로그인");
  await page.getByText(mine).waitFor();
  assert.ok((await page.locator("main").innerText()).includes(account));
  await signIn(second, "signin.unknown_key");
} catch (e) {
  for (const at of browser.contexts().flatMap((c) => c.pages())) console.error(`at ${at.url()}:\n${await at.locator("body").innerText().catch(() => "")}`);
  throw e;
} finally {
  await browser.close();
}

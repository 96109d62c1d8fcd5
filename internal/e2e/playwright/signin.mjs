// A person makes an account with a passkey, signs in at two services by the providers of two members, withdraws, erases. Usage:
// node signin.mjs FIRST-PORT SERVICE SERVICE-JS SCRIPT FOLDER: the first port for signing in of dure up, the addresses of the two services of
// docs/integrate-sign-in.md, the second of which it runs from the script, and where pictures go. The last line is a JSON object of what was measured.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { copyFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { browser, code, fine, person, picture, press } from "./people.mjs";

const [first, service, serviceJS, script, folder] = process.argv.slice(2);
const at = (n) => `http://localhost:${Number(first) + n}`;
const [bank, operator, won, shop] = [0, 2, 3, 4].map(at);
const rounds = 20;

// The service in JavaScript, with the packages that are here.
copyFileSync(script, "clinic.mjs");
const clinic = spawn(process.execPath, ["clinic.mjs"], { stdio: "inherit" });
for (let left = 200; ; left--) {
  if (await fetch(serviceJS).then((r) => r.ok, () => false)) break;
  assert.ok(left > 0 && clinic.exitCode === null, "the service in JavaScript did not start");
  await new Promise((done) => setTimeout(done, 50));
}

// measured signs in again and again at a service, and says how long it takes from the click to the signed-in page.
async function measured(page, at, out, into) {
  const times = [];
  for (let i = 0; i < rounds; i++) {
    await page.goto(at);
    const ended = page.waitForResponse((r) => r.url().includes("post_logout_redirect_uri="));
    await page.locator(out).click();
    await ended;
    await page.goto(at + into);
    const button = page.getByRole("button", { name: "패스키로 로그인" });
    await button.waitFor();
    const begin = performance.now();
    await button.click();
    await page.locator("#welcome").waitFor();
    times.push(performance.now() - begin);
  }
  times.sort((a, b) => a - b);
  return { p50_ms: Math.round(times[rounds / 2]), p95_ms: Math.round(times[Math.ceil(rounds * 0.95) - 1]) };
}

const { page, cdp, authenticatorId } = await person();
try {
  // From the shop to the bank's provider, and there to an account.
  await page.goto(shop);
  await page.getByRole("link", { name: /한두레은행/ }).click();
  await page.getByRole("heading", { name: "로그인" }).waitFor();
  await fine(page);
  await picture(page, "sign-in");
  await page.getByRole("link", { name: "계정 만들기" }).click();
  await page.getByLabel("이름").fill("홍길동");
  await page.getByLabel("휴대전화 번호").fill("010-1234-5678");
  await fine(page);
  await press(page, "인증번호 받기");
  await page.getByLabel("문자로 받은 인증번호").fill(await code(operator, /인증번호 (\d{6})/));
  await page.keyboard.press("Enter");
  await page.getByLabel("계좌번호").fill("110-123-456789");
  await press(page, "1원 보내기");
  await page.getByLabel("입금자 이름에 적힌 숫자").fill("0000" === (await code(won, /두레(\d{4})/)) ? "1111" : "0000");
  await page.keyboard.press("Enter");
  await page.getByText("signin.code_wrong").waitFor();
  await page.getByLabel("입금자 이름에 적힌 숫자").fill(await code(won, /두레(\d{4})/));
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: "패스키 만들기" }).waitFor();
  await picture(page, "passkey");
  await press(page, "패스키 만들기");

  // What the shop asks, item by item.
  await page.getByRole("heading", { name: "무엇을 알려 줄까요?" }).waitFor();
  await fine(page);
  await page.getByRole("checkbox", { name: /^이름/ }).check();
  await picture(page, "consent");
  await press(page, "고른 것만 알려 주고 계속");
  await page.locator("#welcome").waitFor();
  const account = await page.locator("#subject").innerText();
  assert.match(account, /^0x[0-9a-fA-F]{40}$/);
  const told = await page.locator("dl").innerText();
  assert.ok(told.includes("홍길동") && !told.includes("1012345678"), told);

  // At the service of the guide, which is on the ledger, by the provider of a member that joined and has never heard of the person. It knows them by another
  // number, and so does the same service in JavaScript.
  await page.goto(service);
  await page.getByRole("link", { name: "Sign in with Dure" }).click();
  await press(page, "패스키로 로그인");
  await page.getByText("이 기관에 없는 정보").waitFor();
  await page.getByText("원장에 등록한 기관: 두레 의료재단").waitFor();
  await fine(page);
  await picture(page, "service");
  await press(page, "고른 것만 알려 주고 계속");
  await page.locator("#welcome").waitFor();
  const number = await page.locator("#subject").innerText();
  assert.ok(number.length > 20 && !number.startsWith("0x"), number);

  await page.goto(serviceJS);
  await page.getByRole("link", { name: "Sign in with Dure" }).click();
  await page.locator("#welcome").waitFor();
  assert.equal(await page.locator("#subject").innerText(), number);

  // The consent is on the ledger: the page leads to the node's page of it, and gives the file that proves it.
  for (let left = 100; ; left--) {
    await page.goto(bank);
    if (await page.getByText("원장 영수증").count()) break;
    assert.ok(left > 0, "the consent did not come to the ledger");
  }
  await fine(page);
  await picture(page, "me");
  writeFileSync(join(folder, "consent.json"), await (await page.request.get(`${bank}/consent?service=shop`)).body());
  await page.locator("a[href*='/tx/']").click();
  await page.getByText("로그인 동의 Consent at a sign-in").first().waitFor();

  // From the click to the signed-in page, with the passkey each time.
  const times = await measured(page, shop, "a[href='/logout']", "/login?via=0");
  const onLedger = await measured(page, service, "text=Sign out", "/login");

  // By keyboard alone, in English.
  await page.goto(`${bank}/?lang=en`);
  await press(page, "Sign out");
  await page.goto(bank);
  const button = page.getByRole("button", { name: "Sign in with a passkey" });
  for (let i = 0; i < 10 && !(await button.evaluate((b) => b === document.activeElement)); i++) await page.keyboard.press("Tab");
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: "My page" }).waitFor();
  await page.goto(`${bank}/?lang=ko`);

  // A passkey that does not check who holds it signs in nobody: the browser does not even send it.
  await cdp.send("WebAuthn.setUserVerified", { authenticatorId, isUserVerified: false });
  await press(page, "로그아웃");
  await page.goto(bank);
  await press(page, "패스키로 로그인");
  await page.getByText("패스키를 쓰지 않았습니다").waitFor();
  await cdp.send("WebAuthn.setUserVerified", { authenticatorId, isUserVerified: true });

  // A copy of the passkey from before is refused: its counter goes back.
  const { credentials } = await cdp.send("WebAuthn.getCredentials", { authenticatorId });
  assert.equal(credentials.length, 1);
  const now = credentials[0];
  await cdp.send("WebAuthn.removeCredential", { authenticatorId, credentialId: now.credentialId });
  await cdp.send("WebAuthn.addCredential", { authenticatorId, credential: { ...now, signCount: 1 } });
  await press(page, "패스키로 로그인");
  await page.getByText("signin.counter_back").waitFor();
  await cdp.send("WebAuthn.removeCredential", { authenticatorId, credentialId: now.credentialId });
  await cdp.send("WebAuthn.addCredential", { authenticatorId, credential: { ...now, signCount: now.signCount + 10 } });
  await press(page, "패스키로 로그인");
  await page.getByRole("heading", { name: "내 정보", level: 1 }).waitFor();

  // Withdrawn at the bank: the shop, at which the person is, is told.
  await page.goto(`${shop}/login?via=0`);
  await page.locator("#welcome").waitFor();
  await page.goto(bank);
  await press(page, /동의 거두기/);
  await page.getByText("준 동의를 거두었습니다").waitFor();
  for (let left = 100; ; left--) {
    await page.goto(shop);
    if ((await page.locator("#welcome").count()) === 0) break;
    assert.ok(left > 0, "the shop was not told of the withdrawal");
  }
  await page.goto(`${shop}/login?via=0`);
  await page.getByRole("heading", { name: "무엇을 알려 줄까요?" }).waitFor();
  await press(page, "거절하고 돌아가기");
  await page.getByText("access_denied").waitFor();

  // Erased at the bank. The account and the passkey are still the person's, and the other member is as before.
  await page.goto(bank);
  await page.getByRole("link", { name: "내 정보 지우기" }).click();
  await page.getByRole("checkbox", { name: "지워도 좋습니다" }).check();
  await fine(page);
  await press(page, "모두 지우기");
  await page.getByRole("heading", { name: "지웠습니다" }).waitFor();
  await page.goto(bank);
  await press(page, "패스키로 로그인");
  await page.getByText("이 기관은 나에 대해 아무것도 모릅니다").waitFor();
  await page.goto(service);
  await page.locator("#welcome").waitFor();
  assert.equal(await page.locator("#subject").innerText(), number);

  console.log(JSON.stringify({ account, ...times, ledger: onLedger }));
} catch (e) {
  console.error(`at ${page.url()}:\n${await page.locator("body").innerText().catch(() => "")}`);
  throw e;
} finally {
  clinic.kill();
  await browser.close();
}

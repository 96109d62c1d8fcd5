import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Browser, type BrowserContext, type Page, chromium } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";

import { Anchor } from "@dureledger/dure";

import { modules } from "../apps/wallet/src/qr.js";
import { dure, genesis, nodes, pictures } from "./network.js";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const phone = { width: 390, height: 780 };
const origin = nodes[0] as string;
const anchor = Anchor.fromGenesis(genesis);

const bob = /0x[0-9a-fA-F]{40}/.exec(dure("account", "show", "bob"))?.[0] as string;

let browser: Browser;
beforeAll(async () => {
  const film = join(mkdtempSync(join(tmpdir(), "dure-")), "bob.y4m");
  writeFileSync(film, filmOf(bob));
  browser = await chromium.launch({
    executablePath: "/usr/bin/chromium",
    args: ["--no-sandbox", "--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream", `--use-file-for-fake-video-capture=${film}`],
  });
});
afterAll(() => browser.close());

/** visitor opens the wallet as somebody new, with a passkey device in the browser. What the page complains of, and what it asks elsewhere, is kept in trouble. */
async function visitor(): Promise<{ page: Page; context: BrowserContext; trouble: string[] }> {
  const context = await browser.newContext({ viewport: phone, locale: "ko-KR", timezoneId: "Asia/Seoul", acceptDownloads: true });
  const page = await context.newPage();
  const trouble: string[] = [];
  // An account that is not open yet is a 404 of the API, which Chromium tells as an error.
  page.on("console", (m) => m.type() === "error" && !m.location().url.endsWith("/GetAccount") && trouble.push(m.text()));
  page.on("pageerror", (err) => trouble.push(err.message));
  page.on("request", (r) => !r.url().startsWith(origin) && !r.url().startsWith("blob:") && trouble.push(`asks ${r.url()}`));
  const cdp = await context.newCDPSession(page);
  await cdp.send("WebAuthn.enable");
  await cdp.send("WebAuthn.addVirtualAuthenticator", {
    options: { protocol: "ctap2", transport: "internal", hasResidentKey: true, hasUserVerification: true, isUserVerified: true, automaticPresenceSimulation: true },
  });
  await page.goto(`${origin}/wallet`);
  return { page, context, trouble };
}

/** filmOf is what a camera sees that is held before the QR code of a text: one frame of YUV4MPEG2. */
function filmOf(text: string): Buffer {
  const rows = modules(text);
  const [size, scale] = [320, 7];
  const edge = Math.floor((size - rows.length * scale) / 2);
  const luma = Buffer.alloc(size * size, 235);
  for (const [y, row] of rows.entries()) {
    for (const [x, dark] of row.entries()) {
      for (let i = 0; dark && i < scale; i++) luma.fill(16, (edge + y * scale + i) * size + edge + x * scale, (edge + y * scale + i) * size + edge + (x + 1) * scale);
    }
  }
  return Buffer.concat([Buffer.from(`YUV4MPEG2 W${size} H${size} F10:1 Ip A1:1 C420jpeg\nFRAME\n`), luma, Buffer.alloc((size * size) / 2, 128)]);
}

/** look takes a picture of a screen, and checks it: no serious fault for people who use it otherwise, and nothing wider than the phone. */
async function look(page: Page, name: string): Promise<void> {
  await page.evaluate(() => document.fonts.ready.then(() => undefined));
  const faults = await page.evaluate(async (source) => {
    (0, eval)(source);
    const { violations } = await (window as unknown as { axe: { run(): Promise<{ violations: { id: string; impact: string; nodes: { html: string }[] }[] }> } }).axe.run();
    return violations.filter((v) => v.impact === "serious" || v.impact === "critical").map((v) => `${v.id}: ${v.nodes.map((n) => n.html).join(" ")}`);
  }, axe);
  expect(faults, name).toEqual([]);
  expect(await page.evaluate(() => document.documentElement.scrollWidth), name).toBeLessThanOrEqual(phone.width);
  await page.screenshot({ path: join(pictures, `${name}.png`), fullPage: true });
}

/** make makes a wallet with a passkey, has a bank open its account, and returns the address. */
async function make(page: Page): Promise<string> {
  await page.getByRole("button", { name: "지문·얼굴·PIN으로 만들기" }).click();
  const key = await page.getByText(/^webauthn:[0-9a-f]{66}$/).innerText();
  const opened = dure("account", "open", key, "--sponsor", "bank");
  await page.getByRole("heading", { name: "잔액" }).waitFor();
  return /0x[0-9a-fA-F]{40}/.exec(opened)?.[0] as string;
}

test("a person gets a wallet, is paid, pays with a passkey, and sees each receipt verified", async () => {
  const { page, trouble } = await visitor();
  await look(page, "start");
  await page.getByRole("button", { name: "지문·얼굴·PIN으로 만들기" }).click();
  const key = await page.getByText(/^webauthn:[0-9a-f]{66}$/).innerText();
  await look(page, "waiting");
  const address = /0x[0-9a-fA-F]{40}/.exec(dure("account", "open", key, "--sponsor", "bank"))?.[0] as string;

  await page.getByText("아직 받은 돈이 없습니다.").waitFor();
  dure("asset", "transfer", "krw", "50,000", "--from", "alice", "--to", address, "--memo", "용돈");
  await page.getByText("50,000 krw 받았습니다").waitFor();
  await page.getByText("확인함").waitFor();
  await look(page, "home");

  await page.getByRole("link", { name: "받기" }).click();
  await page.getByText(address, { exact: true }).waitFor();
  await look(page, "receive");
  await page.goBack();

  // With the keyboard alone, from the form to the signature.
  await page.getByRole("link", { name: "보내기" }).focus();
  await page.keyboard.press("Enter");
  await page.getByLabel("받는 주소").fill(bob.replace("0x", "0x0"));
  await page.getByLabel("금액").fill("60,000");
  await page.keyboard.press("Enter");
  await page.getByText("주소가 맞지 않습니다").waitFor();
  expect(await page.evaluate(() => document.activeElement?.id)).toBe("to");
  await page.getByRole("button", { name: "QR 찍기" }).press("Enter");
  await expect.poll(() => page.getByLabel("받는 주소").inputValue(), { timeout: 30_000 }).toBe(bob);
  await page.keyboard.press("Enter");
  await page.getByText("잔액보다 많습니다.").waitFor();
  await page.getByLabel("금액").fill("12,500");
  await page.getByLabel("메모").fill("점심값");
  await look(page, "pay");
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: "이대로 보낼까요?" }).waitFor();
  await look(page, "confirm");
  await page.keyboard.press("Enter");

  await page.getByText("이 기기에서 확인했습니다").waitFor();
  await page.getByText("점심값").waitFor();
  await look(page, "payment");
  const id = page.url().split("/").pop() as string;
  const download = page.waitForEvent("download");
  await page.getByRole("button", { name: "영수증 내려받기" }).click();
  const file = readFileSync(await (await download).path());
  expect(anchor.verifyReceipt(new Uint8Array(file))).toMatchObject({ id, ok: true });

  await page.getByRole("link", { name: "뒤로" }).click();
  await page.getByText("37,500").first().waitFor();
  await page.getByRole("link", { name: "설정" }).click();
  await look(page, "settings");
  const all = page.waitForEvent("download");
  await page.getByRole("button", { name: "영수증 모두 내려받기" }).click();
  expect(readFileSync(await (await all).path()).includes(`${id}.dure`)).toBe(true);

  await page.getByRole("button", { name: "English" }).click();
  await page.getByRole("heading", { name: "Settings" }).waitFor();
  await look(page, "settings-en");
  await page.reload();
  await page.getByRole("link", { name: "Back" }).click();
  await page.getByText("12,500 krw").waitFor();
  expect(await page.getByText("Verified").count()).toBe(2);
  expect(trouble).toEqual([]);
});

test("a node that shows another amount than the receipt is found out", async () => {
  const { page, trouble } = await visitor();
  const address = await make(page);
  dure("asset", "transfer", "krw", "31,234", "--from", "alice", "--to", address);
  await page.getByText("확인함").waitFor();
  await page.route("**/ListTransactions", async (route) => {
    const answer = await route.fetch();
    const body = Buffer.from((await answer.body()).toString("latin1").replaceAll("31234", "91234"), "latin1");
    await route.fulfill({ response: answer, body });
  });
  await page.reload();
  await page.getByText("확인되지 않음").click();
  await page.getByText("노드가 보여 준 내역과 영수증이 다릅니다.").waitFor();
  await look(page, "refused");
  expect(trouble).toEqual([]);
});

test("a wallet whose browser was cleared is found again by its passkey", async () => {
  const { page, trouble } = await visitor();
  const address = await make(page);
  await page.getByRole("link", { name: "설정" }).click();
  await page.getByRole("button", { name: "이 기기에서 지갑 지우기" }).click();
  await page.getByRole("button", { name: "정말 지우기" }).click();
  await page.getByRole("button", { name: "전에 만든 패스키로 열기" }).click();
  await page.getByRole("link", { name: "받기" }).click();
  await page.getByText(address, { exact: true }).waitFor();
  expect(trouble).toEqual([]);
});

test("a key of the browser pays too, and a passkey only where the network says", async () => {
  const { page } = await visitor();
  await page.goto(`${origin.replace("localhost", "127.0.0.1")}/wallet/`);
  expect(await page.getByRole("button", { name: "지문·얼굴·PIN으로 만들기" }).isDisabled()).toBe(true);
  await page.getByText(`${origin}/wallet/`).waitFor();
  await page.getByRole("button", { name: "이 브라우저에만 두는 열쇠로 만들기" }).click();
  const key = await page.getByText(/^p256:[0-9a-f]{66}$/).innerText();
  const address = /0x[0-9a-fA-F]{40}/.exec(dure("account", "open", key, "--sponsor", "bank"))?.[0] as string;
  await page.getByRole("heading", { name: "잔액" }).waitFor();
  dure("asset", "transfer", "krw", "700", "--from", "alice", "--to", address);
  await page.getByRole("link", { name: "보내기" }).click();
  await page.getByLabel("받는 주소").fill(bob);
  await page.getByLabel("금액").fill("200");
  await page.getByRole("button", { name: "다음" }).click();
  await page.getByRole("button", { name: "보내기" }).click();
  await page.getByText("이 기기에서 확인했습니다").waitFor();
});

import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";

import { Anchor } from "@dureledger/dure";

import { modules } from "../apps/wallet/src/qr.js";
import { launch, look, make, origin, visitor } from "./browser.js";
import { dure, genesis } from "./network.js";

const anchor = Anchor.fromGenesis(genesis);

const bob = /0x[0-9a-fA-F]{40}/.exec(dure("account", "show", "bob"))?.[0] as string;

let browser: Browser;
beforeAll(async () => {
  const film = join(mkdtempSync(join(tmpdir(), "dure-")), "bob.y4m");
  writeFileSync(film, filmOf(bob));
  browser = await launch("--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream", `--use-file-for-fake-video-capture=${film}`);
});
afterAll(() => browser.close());

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

test("a person gets a wallet, is paid, pays with a passkey, and sees each receipt verified", async () => {
  const { page, trouble } = await visitor(browser);
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
  const { page, trouble } = await visitor(browser);
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
  const { page, trouble } = await visitor(browser);
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
  const { page } = await visitor(browser);
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

import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";

import { Client, check, countersign, fromBase64url } from "@dureledger/dure";
import { secretSigner } from "@dureledger/dure/secret";

import { launch, look, make, visitor } from "./browser.js";
import { dure, nodes, secret } from "./network.js";

const bob = /0x[0-9a-fA-F]{40}/.exec(dure("account", "show", "bob"))?.[0] as string;

let browser: Browser;
beforeAll(async () => {
  browser = await launch();
});
afterAll(() => browser.close());

/** go opens a screen by what follows # in the address. */
const go = (page: Page, place: string) => page.evaluate((hash) => void (location.hash = hash), place);

async function pay(page: Page, amount: string): Promise<void> {
  await go(page, "pay");
  await page.getByLabel("받는 주소").fill(bob);
  await page.getByLabel("금액").fill(amount);
  await page.getByRole("button", { name: "다음" }).click();
  await page.getByRole("button", { name: "보내기" }).click();
}

test("a second passkey opens the wallet and pays when the device of the first is lost, which is then removed", async () => {
  const { page, trouble, devices } = await visitor(browser);
  const address = await make(page);
  dure("asset", "transfer", "krw", "50,000", "--from", "alice", "--to", address);
  await page.getByText("50,000 krw 받았습니다").waitFor();

  await page.getByRole("link", { name: "설정" }).click();
  await page.getByRole("link", { name: "열쇠" }).click();
  await page.getByText("열쇠가 하나뿐입니다.").waitFor();
  expect(await page.getByRole("button", { name: /^빼기/ }).count()).toBe(0);
  await page.getByRole("button", { name: "패스키 하나 더 만들기" }).click();
  await page.getByText("이미 있습니다").waitFor(); // the only device there is has one

  await devices.add("usb");
  await devices.touch(1);
  await page.getByRole("button", { name: "패스키 하나 더 만들기" }).click();
  await page.getByRole("heading", { name: "이 열쇠를 더할까요?" }).waitFor();
  await look(page, "key-add");
  await devices.touch(0);
  await page.getByRole("button", { name: "더하기" }).click();
  await page.getByText("아무 열쇠 하나로").waitFor();
  await look(page, "keys");

  await devices.lose(0);
  await devices.touch(0);
  await page.getByRole("button", { name: "다른 패스키로 바꿔 쓰기" }).click();
  await page.getByRole("listitem").filter({ hasText: "이 기기" }).nth(0).waitFor();
  await pay(page, "1,000");
  await page.getByText("이 기기에서 확인했습니다").waitFor();

  // Somebody's first visit on another browser finds the account by the passkey that was added.
  await go(page, "settings");
  await page.getByRole("button", { name: "이 기기에서 지갑 지우기" }).click();
  await page.getByRole("button", { name: "정말 지우기" }).click();
  await page.getByRole("button", { name: "전에 만든 패스키로 열기" }).click();
  await page.getByText("49,000").first().waitFor();

  await go(page, "keys");
  await page.getByRole("listitem").filter({ hasNotText: "이 기기" }).getByRole("button", { name: /^빼기/ }).click();
  await page.getByRole("heading", { name: "이 열쇠를 뺄까요?" }).waitFor();
  await look(page, "key-remove");
  await page.getByRole("button", { name: "빼기" }).click();
  await page.getByText("열쇠가 하나뿐입니다.").waitFor();
  await pay(page, "2,000");
  await page.getByText("이 기기에서 확인했습니다").waitFor();
  expect(trouble).toEqual([]);
});

test("a device that joins an account of two approves with it what one alone may not", async () => {
  dure("key", "new", "org");
  const org = /0x[0-9a-fA-F]{40}/.exec(dure("account", "open", "org", "--sponsor", "bank"))?.[0] as string;
  dure("asset", "transfer", "krw", "50,000", "--from", "alice", "--to", org);
  const { page, trouble } = await visitor(browser);
  await page.getByRole("link", { name: "이미 계좌가 있습니다" }).click();
  await page.getByLabel("내 계좌의 주소").fill(org);
  await page.getByRole("button", { name: "다음" }).click();
  await page.getByRole("button", { name: "이 브라우저에만 두는 열쇠로 만들기" }).click();
  await page.getByRole("button", { name: "부탁 만들기", exact: true }).click();
  const link = await page.getByText(/#help\//).innerText();
  await look(page, "outside");

  // The account's other key is on a server, which signs what the device asks for.
  const client = new Client({ nodes });
  const raw = fromBase64url(link.split("#help/")[1] as string) as Uint8Array;
  const signed = await countersign(await client.network(), raw, [secretSigner("ed25519", secret("org"))]);
  check(await client.submit(signed));
  await page.getByRole("heading", { name: "잔액" }).waitFor();

  const key = dure("account", "rule", "show", org, "--json").match(/0x[0-9a-fA-F]{40}/g)?.filter((a) => a !== org).at(-1) as string;
  const rule = join(mkdtempSync(join(tmpdir(), "dure-")), "rule.yaml");
  writeFileSync(rule, `keys:\n  ${org}: 1\n  "${key}": 1\nspend: 2\nmanage: 2\nother: 1\n`);
  dure("account", "rule", "set", org, rule, "--key", "org");

  await pay(page, "3,000");
  await page.getByText("이 열쇠는 이미 승인했습니다.").waitFor();
  await look(page, "proposal");
  dure("account", "approve", org, "1", "--key", "org", "--yes");
  await page.getByText("승인을 기다리는 일이 없습니다.").waitFor();

  dure("asset", "transfer", "krw", "4,000", "--from", org, "--to", "bob", "--propose", "5월 품삯", "--key", "org");
  await go(page, "");
  await page.getByText("47,000").first().waitFor();
  await page.getByRole("link", { name: "승인할 일이 1건 있습니다" }).click();
  await page.getByText("5월 품삯").waitFor();
  await page.getByRole("button", { name: "승인하기" }).click();
  await page.getByRole("heading", { name: "이 일을 승인할까요?" }).waitFor();
  await look(page, "proposal-approve");
  await page.getByRole("button", { name: "승인하기" }).click();
  await page.getByText("승인을 기다리는 일이 없습니다.").waitFor();
  await go(page, "");
  await page.getByText("43,000").first().waitFor();
  expect(trouble).toEqual([]);
});

test("the wallet opens at a node that answers by account once its owner has shown who it is", async () => {
  const closed = nodes.at(-1) as string;
  const { page, devices, trouble } = await visitor(browser, closed);
  await page.getByRole("button", { name: "지문·얼굴·PIN으로 만들기" }).click();
  const key = await page.getByText(/^webauthn:[0-9a-f]{66}$/).innerText();
  await page.getByRole("heading", { name: "이 열쇠의 계좌가 아직 없습니다" }).waitFor();
  const address = /0x[0-9a-fA-F]{40}/.exec(dure("account", "open", key, "--sponsor", "bank"))?.[0] as string;
  dure("asset", "transfer", "krw", "900", "--from", "alice", "--to", address);
  await page.getByRole("button", { name: "다시 해 보기" }).click();
  await page.getByText("900").first().waitFor();
  await page.getByText("확인함").waitFor();
  await go(page, "pay");
  await page.getByLabel("받는 주소").fill(bob);
  await page.getByLabel("금액").fill("100");
  await page.getByRole("button", { name: "다음" }).click();
  await page.getByRole("button", { name: "보내기" }).click();
  await page.getByText("이 기기에서 확인했습니다").waitFor();

  await devices.refuse(true);
  await page.reload();
  await page.getByRole("heading", { name: "누구인지 확인합니다" }).waitFor();
  await look(page, "asleep");
  await devices.refuse(false);
  await page.getByRole("button", { name: "확인하고 열기" }).click();
  await go(page, "");
  await page.getByText("800").first().waitFor();
  expect(trouble.filter((what) => !/ 40[13] /.test(what))).toEqual([]); // what a node refuses, Chromium tells as an error
});

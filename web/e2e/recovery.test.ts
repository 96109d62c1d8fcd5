import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";

import { later, launch, look, make, origin, visitor } from "./browser.js";
import { dure } from "./network.js";

const bob = /0x[0-9a-fA-F]{40}/.exec(dure("account", "show", "bob"))?.[0] as string;
const hour = 3600_000;

let browser: Browser;
beforeAll(async () => {
  browser = await launch();
});
afterAll(() => browser.close());

const go = (page: Page, place: string) => page.evaluate((hash) => void (location.hash = hash), place);

test("guardians bring a new phone to an account, its owner objects to it, and it opens when they do so again", async () => {
  const owner = await visitor(browser);
  const guardian = await visitor(browser);
  for (const { page } of [owner, guardian]) await page.clock.install();
  const address = await make(owner.page);
  const friend = await make(guardian.page);
  dure("asset", "transfer", "krw", "20,000", "--from", "alice", "--to", address);

  await go(owner.page, "guardians");
  await owner.page.getByText("고른 사람이 없습니다.").waitFor();
  await owner.page.getByRole("button", { name: "바꾸기" }).click();
  await owner.page.getByLabel("더할 사람의 주소").fill(address);
  await owner.page.getByRole("button", { name: "목록에 더하기" }).click();
  await owner.page.getByText("내 주소입니다.").waitFor();
  for (const who of [friend, bob]) {
    await owner.page.getByLabel("더할 사람의 주소").fill(who);
    await owner.page.getByRole("button", { name: "목록에 더하기" }).click();
    await owner.page.getByText(who).waitFor();
  }
  await owner.page.getByLabel("몇 명이 동의해야 하는지").selectOption({ label: "2명" });
  await owner.page.getByLabel("반대할 수 있는 시간").selectOption({ label: "1시간" });
  await owner.page.getByRole("checkbox").uncheck();
  await look(owner.page, "guardians-change");
  await owner.page.getByRole("button", { name: "다음" }).click();
  await owner.page.getByText("3일").waitFor();
  await owner.page.getByRole("button", { name: "바꾸기" }).click();
  await owner.page.getByText("부터 바뀝니다").waitFor();
  await look(owner.page, "guardians");
  await later(73 * hour, owner.page, guardian.page);
  dure("asset", "transfer", "krw", "1", "--from", "alice", "--to", address); // an idle network has no blocks, and so no time

  const phone = await visitor(browser);
  await phone.page.getByRole("link", { name: "이미 계좌가 있습니다" }).click();
  await phone.page.getByLabel("내 계좌의 주소").fill(address);
  await look(phone.page, "join");
  await phone.page.getByRole("button", { name: "다음" }).click();
  await phone.page.getByRole("button", { name: "지문·얼굴·PIN으로 만들기" }).click();
  const key = await ask(phone.page, guardian.page, friend);
  await look(phone.page, "outside-begun");
  dure("account", "recover", "agree", address, "--to", key, "--by", "bob");

  await go(owner.page, "");
  await owner.page.getByText("누군가 이 계좌에 다른 열쇠를 넣으려 합니다").waitFor();
  await owner.page.getByText("부터 그 열쇠가").waitFor();
  await look(owner.page, "recovery");
  await owner.page.getByRole("button", { name: "반대하기" }).click();
  await owner.page.getByText("반대하면 이 되찾기는 바로 끝납니다.").waitFor();
  await owner.page.getByRole("button", { name: "반대하기" }).click();
  await owner.page.getByText("누군가 이 계좌에").waitFor({ state: "detached" });
  await phone.page.getByText("되찾기가 시작되었습니다.").waitFor({ state: "detached" });

  await phone.page.reload();
  await ask(phone.page, guardian.page, friend);
  dure("account", "recover", "agree", address, "--to", key, "--by", "bob");
  await guardian.page.getByText("2 / 2").waitFor();
  await guardian.page.getByRole("button", { name: "끝내기" }).click();
  await guardian.page.getByText("아직 반대할 수 있는 시간입니다.").waitFor();
  await later(hour + 60_000, owner.page, guardian.page, phone.page);
  await guardian.page.getByRole("button", { name: "끝내기" }).click();

  await phone.page.getByRole("heading", { name: "잔액" }).waitFor();
  await go(phone.page, "pay");
  await phone.page.getByLabel("받는 주소").fill(bob);
  await phone.page.getByLabel("금액").fill("500");
  await phone.page.getByRole("button", { name: "다음" }).click();
  await phone.page.getByRole("button", { name: "보내기" }).click();
  await phone.page.getByText("이 기기에서 확인했습니다").waitFor();
  await owner.page.getByRole("heading", { name: "이 기기의 열쇠는 아직 이 계좌의 것이 아닙니다" }).waitFor();
  expect([...owner.trouble, ...guardian.trouble, ...phone.trouble]).toEqual([]);
});

/** ask has the new phone make a request for a friend, whose wallet begins the recovery, and returns the new key's address. */
async function ask(phone: Page, guardian: Page, friend: string): Promise<string> {
  await phone.getByRole("button", { name: `${friend}에게 부탁 만들기` }).click();
  const link = await phone.getByText(/#help\//).innerText();
  expect(link.startsWith(`${origin}/wallet/#help/`)).toBe(true);
  await go(guardian, "help");
  await guardian.getByLabel("부탁 또는 주소").fill(link);
  await guardian.getByRole("button", { name: "찾기" }).click();
  await guardian.getByRole("heading", { name: "이 계좌에 새 열쇠를 넣는 일을 시작할까요?" }).waitFor();
  await look(guardian, "help");
  await guardian.getByRole("button", { name: "시작하기" }).click();
  await guardian.getByText("1 / 2").waitFor();
  await phone.getByText("필요한 2명 가운데 1명이 동의했습니다.").waitFor();
  const digits = (await guardian.getByText(/^([0-9a-f]{4} ){9}[0-9a-f]{4}$/).first().innerText()).replaceAll(" ", "");
  return `0x${digits}`;
}

// A person with credentials in the wallet: takes one, reads it, and shows some of it to sites that ask, by a link on the same device and by one from another.
import { type Browser, type Page, chromium } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";

import { Client } from "@dureledger/dure";
import { verifyCredential } from "@dureledger/dure/credential";

import { license, network, path, read } from "./city.js";
import { look, phone } from "./browser.js";
import { dure, dureSays, nodes } from "./network.js";
import { Site } from "./site.js";

const schema = "resident";
const origin = nodes[0] as string;

let browser: Browser;
let page: Page;
const trouble: string[] = [];

beforeAll(async () => {
  license(schema, 9);
  dure("org", "admit", "shop", "--name", "사우동 빵집", "--kind", "shop", "--by", "bank");
  browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args: ["--no-sandbox"] });
  const context = await browser.newContext({ viewport: phone, locale: "ko-KR", timezoneId: "Asia/Seoul", acceptDownloads: true });
  page = await context.newPage();
  page.setDefaultTimeout(10_000);
  page.on("pageerror", (err) => trouble.push(err.message));
  page.on("console", (m) => m.type() === "error" && trouble.push(m.text()));
});
afterAll(() => browser.close());

function issue(name: string, to: string, entry: number): string {
  dure("credential", "issue", "--by", "city", "--schema", schema, "--to", to, "--claim", "name=김하늘", "--claim", "district=사우동", "--claim", "adult=true", "--status-list", "9", "--index", String(entry), "--out", path(name));
  return read(name);
}

/** asks begins a request of the shop's and returns its link and what it says in the end. */
async function asks(...claims: string[]): Promise<{ link: string; said: Promise<string> }> {
  const site = dureSays("--json", "credential", "ask", "--schema", schema, "--claim", claims.join(","), "--by", "shop");
  return { link: (JSON.parse(await site.first) as { request: string }).request, said: site.all };
}

test("a credential is taken, checked and read, and others' or forged ones are not", async () => {
  await page.goto(`${origin}/wallet#credentials`);
  const key = await page.getByText(/^p256:0[23][0-9a-f]{64}$/).innerText();
  await look(page, "credentials-none");
  const mine = issue("browser.cred", key, 1);
  await page.getByRole("link", { name: "증명서 넣기" }).click();
  await page.getByRole("textbox", { name: "증명서" }).fill(issue("alice-too.cred", "alice", 2));
  await page.getByRole("button", { name: "확인하고 넣기" }).click();
  await page.getByText("다른 열쇠 앞으로 발급되었습니다").waitFor();
  await page.getByRole("textbox", { name: "증명서" }).fill(mine.replace(/\.[^.~]{8}/, ".AAAAAAAA"));
  await page.getByRole("button", { name: "확인하고 넣기" }).click();
  await page.getByText("넣지 않았습니다.").waitFor();
  await look(page, "credential-add");

  await page.getByLabel("파일 열기").setInputFiles(path("browser.cred"));
  await page.getByText("김하늘").waitFor();
  await page.getByText("유효함", { exact: false }).first().waitFor();
  expect(await page.getByText("사우동", { exact: true }).isVisible()).toBe(true);
  expect(await page.getByText("예", { exact: true }).isVisible()).toBe(true);
  await look(page, "credential");
  await page.reload();
  await page.getByText("김하늘").waitFor();
});

test("a site's link opens the wallet, which says who asks, shows what is ticked, and goes back", async () => {
  const { link, said } = await asks("district", "adult");
  await page.goto(link.replace("openid4vp://", `${origin}/wallet/`));
  await page.getByText("사우동 빵집").waitFor();
  expect(page.url()).toBe(`${origin}/wallet/#show`);
  const show = page.getByRole("button", { name: "보여 주기", exact: true });
  expect(await page.getByRole("checkbox").count()).toBe(2);
  await page.getByLabel(/동네/).check();
  expect(await show.isDisabled()).toBe(true);
  await page.getByLabel(/성인/).check();
  await look(page, "credential-show");
  await show.click();
  await page.getByText("보여 주었습니다.").waitFor();
  const verified = await said;
  expect(verified).toContain('{"field":"district","value":"사우동"');
  expect(verified).not.toContain("김하늘");
});

test("a site of another make, whose request nobody has signed, is answered after a warning, and takes the browser back", async () => {
  const site = new Site();
  await site.open();
  const query = { credentials: [{ id: "where", format: "dc+sd-jwt", meta: { vct_values: [`did:dure:${network}/schema/${schema}`] }, claims: [{ path: ["district"] }] }] };
  const uri = `${site.url}/response`;
  const request = new URLSearchParams({ client_id: `redirect_uri:${uri}`, response_uri: uri, response_type: "vp_token", response_mode: "direct_post", nonce: "n-7", dcql_query: JSON.stringify(query) });
  await page.goto(`${origin}/wallet/?${request}`);
  await page.getByText("서명이 없는 요청입니다.").waitFor();
  await look(page, "credential-unsigned");
  await page.getByLabel(/동네/).check();
  await page.getByRole("button", { name: "보여 주기", exact: true }).click();
  expect(await page.getByRole("link", { name: "사이트로 돌아가기" }).getAttribute("href")).toBe(`${site.url}/done`);
  const [shown = ""] = (JSON.parse(site.posted["vp_token"] ?? "{}") as Record<string, string[]>)["where"] ?? [];
  const { credential } = await verifyCredential(new Client({ nodes }), shown, { to: { audience: `redirect_uri:${uri}`, nonce: "n-7" } });
  expect(credential.fields.map((f) => [f.path, f.value])).toEqual([["district", "사우동"]]);
  site.close();
});

test("who does not want to shows nothing, and a site that says that it is another is found out", async () => {
  const { link, said } = await asks("name");
  const bank = /0x[0-9a-fA-F]{40}/.exec(dure("account", "show", "bank"))?.[0] as string;
  await page.goto(`${origin}/wallet#show`);
  const put = async (text: string) => {
    await page.getByLabel("링크").fill(text);
    await page.getByRole("button", { name: "무엇을 묻는지 보기" }).click();
  };
  await put(link.replace(/0x[0-9a-fA-F]{40}/, bank));
  await page.getByText("장부에 있는 계좌의 열쇠로 서명한 것이 아닙니다.").waitFor();
  await put(link);
  await page.getByText("누가 보내 준 그림이면").waitFor();
  await page.getByRole("button", { name: "거절하기" }).click();
  await page.getByText("보여 주지 않았습니다.").waitFor();
  expect(await said).toContain("does not agree");
});

test("a credential that the issuer revokes is not shown as valid", async () => {
  dure("credential", "revoke", path("browser.cred"), "--by", "city");
  await page.goto(`${origin}/wallet#credentials`);
  await page.getByText("쓸 수 없음").waitFor();
  await page.getByRole("button", { name: "English" }).click();
  await page.getByText("Certificate of residence").click();
  await page.getByText("The issuer has revoked the credential.").waitFor();
  await look(page, "credential-revoked-en");
  await page.getByRole("button", { name: "Delete this credential" }).click();
  await page.getByRole("button", { name: "Yes, delete it" }).click();
  await page.getByText("No credentials yet.").waitFor();
  expect(trouble).toEqual([]);
});

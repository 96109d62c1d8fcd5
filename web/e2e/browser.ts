import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { type Browser, type BrowserContext, type CDPSession, type Page, chromium } from "playwright-core";
import { expect } from "vitest";

import { clock, dure, nodes, pictures } from "./network.js";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
export const phone = { width: 390, height: 780 };

/** The node whose wallet is opened. */
export const origin = nodes[0] as string;

/** launch starts Chromium. */
export const launch = (...args: string[]): Promise<Browser> => chromium.launch({ executablePath: "/usr/bin/chromium", args: ["--no-sandbox", ...args] });

/** Somebody's browser with a passkey device in it. What the page complains of, and what it asks elsewhere, is kept in trouble. */
export interface Visitor {
  readonly page: Page;
  readonly context: BrowserContext;
  readonly trouble: string[];
  readonly devices: Authenticators;
}

/** visitor opens the wallet of a node as somebody new. */
export async function visitor(browser: Browser, at = origin): Promise<Visitor> {
  const context = await browser.newContext({ viewport: phone, locale: "ko-KR", timezoneId: "Asia/Seoul", acceptDownloads: true });
  const page = await context.newPage();
  page.setDefaultTimeout(20_000);
  const trouble: string[] = [];
  // An account that is not open yet is a 404 of the API, which Chromium tells as an error.
  page.on("console", (m) => m.type() === "error" && !m.location().url.endsWith("/GetAccount") && trouble.push(m.text()));
  page.on("pageerror", (err) => trouble.push(err.message));
  page.on("request", (r) => !r.url().startsWith(at) && !r.url().startsWith("blob:") && trouble.push(`asks ${r.url()}`));
  const cdp = await context.newCDPSession(page);
  await cdp.send("WebAuthn.enable");
  const devices = new Authenticators(cdp);
  await devices.add("internal");
  if (shift > 0) await page.clock.install({ time: Date.now() + shift });
  await page.goto(`${at}/wallet`);
  return { page, context, trouble, devices };
}

/** The passkey devices that a browser has: its own, and such as are plugged in. */
export class Authenticators {
  private readonly ids: string[] = [];

  constructor(private readonly cdp: CDPSession) {}

  async add(transport: "internal" | "usb"): Promise<void> {
    const { authenticatorId } = await this.cdp.send("WebAuthn.addVirtualAuthenticator", {
      options: { protocol: "ctap2", transport, hasResidentKey: true, hasUserVerification: true, isUserVerified: true, automaticPresenceSimulation: true },
    });
    this.ids.push(authenticatorId);
  }

  /** touch says which of them the person touches when asked: by number, the first is 0. */
  async touch(...wanted: number[]): Promise<void> {
    for (const [i, authenticatorId] of this.ids.entries()) {
      await this.cdp.send("WebAuthn.setAutomaticPresenceSimulation", { authenticatorId, enabled: wanted.includes(i) });
    }
  }

  /** refuse has the person decline whatever they are asked: fingerprint, face or PIN do not fit. */
  async refuse(all: boolean): Promise<void> {
    for (const authenticatorId of this.ids) await this.cdp.send("WebAuthn.setUserVerified", { authenticatorId, isUserVerified: !all });
  }

  /** lose takes a device away for good. */
  async lose(number: number): Promise<void> {
    await this.cdp.send("WebAuthn.removeVirtualAuthenticator", { authenticatorId: this.ids.splice(number, 1)[0] as string });
  }
}

/** How far the members' clocks are ahead of this machine's, in milliseconds. */
let shift = 0;

/** later lets time pass for the members, the command line and the pages that are given. */
export async function later(ms: number, ...pages: Page[]): Promise<void> {
  shift += ms;
  writeFileSync(`${clock}.new`, String(BigInt(shift) * 1_000_000n));
  renameSync(`${clock}.new`, clock);
  for (const page of pages) await page.clock.setSystemTime(Date.now() + shift);
}

/** look takes a picture of a screen, and checks it: no serious fault for people who use it otherwise, and nothing wider than the phone. */
export async function look(page: Page, name: string): Promise<void> {
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
export async function make(page: Page): Promise<string> {
  await page.getByRole("button", { name: "지문·얼굴·PIN으로 만들기" }).click();
  const key = await page.getByText(/^webauthn:[0-9a-f]{66}$/).innerText();
  const opened = dure("account", "open", key, "--sponsor", "bank");
  await page.getByRole("heading", { name: "잔액" }).waitFor();
  return /0x[0-9a-fA-F]{40}/.exec(opened)?.[0] as string;
}

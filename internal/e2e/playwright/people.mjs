// People with phones before the sign-in pages, for the scripts of this folder.
import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { chromium } from "playwright-core";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

export const browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args: ["--no-sandbox"] });

// person is a new browser of a phone with an authenticator that has a fingerprint.
export async function person(locale = "ko-KR") {
  const context = await browser.newContext({ locale, viewport: { width: 390, height: 844 }, deviceScaleFactor: 1.5 });
  const page = await context.newPage();
  page.setDefaultTimeout(15000);
  page.on("pageerror", (e) => assert.fail(`a page's script failed: ${e}`));
  page.on("console", (m) => m.type() === "error" && /Content Security Policy/.test(m.text()) && assert.fail(m.text()));
  const cdp = await context.newCDPSession(page);
  await cdp.send("WebAuthn.enable");
  const { authenticatorId } = await cdp.send("WebAuthn.addVirtualAuthenticator", {
    options: { protocol: "ctap2", transport: "internal", hasResidentKey: true, hasUserVerification: true, isUserVerified: true, automaticPresenceSimulation: true },
  });
  return { page, cdp, authenticatorId };
}

// fine checks that a page fits its window and that axe finds nothing serious.
export async function fine(page) {
  const [whole, seen] = await page.evaluate(() => [document.documentElement.scrollWidth, window.innerWidth]);
  assert.ok(whole <= seen, `${page.url()} is ${whole} wide in a window of ${seen}`);
  const { violations } = await page.evaluate(`${axe}; axe.run({ resultTypes: ["violations"] })`);
  const bad = violations.filter((v) => v.impact === "serious" || v.impact === "critical");
  assert.deepEqual(bad.map((v) => `${v.id}: ${v.nodes.map((n) => n.html)}`), [], page.url());
}

// picture photographs what the window shows, with a part of the page at its top if one is given, into the folder that is the script's last argument.
export async function picture(page, name, part) {
  if (part) await page.locator(part).evaluate((e) => window.scrollTo(0, e.getBoundingClientRect().top + window.scrollY - 24));
  await page.screenshot({ path: join(process.argv.at(-1), `${name}.png`) });
}

// code reads the newest one at a sandbox.
export async function code(sandbox, pattern) {
  const messages = await (await fetch(`${sandbox}/`, { headers: { Accept: "application/json" } })).json();
  return pattern.exec(messages[0].text)[1];
}

// press clicks the button of a name.
export async function press(page, name) {
  await page.getByRole("button", { name }).click();
}

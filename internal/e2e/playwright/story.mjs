// Plays dure demo car scene by scene and looks at the operator's pages before, during and after, in Korean and English, on a desk and on a
// phone. Usage: node story.mjs DURE FOLDER, with DURE_HOME set; the pictures go to the folder.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { chromium } from "playwright-core";

const [dure, folder] = process.argv.slice(2);
const desk = { width: 1100, height: 900 };
const phone = { width: 390, height: 844 };

// What the pages have to say at each moment, named by the scene after which it comes. Texts are Korean, then English.
const moments = {
  paid: {
    name: "before",
    device: { has: [["정상", "Active"]], not: [["믿을 수 없는 기간", "Times in doubt"], ["가진 자산이 없습니다", "It has no assets"]] },
    feed: { has: [["인정", "Accepted"], ["확인됨", "Confirmed"]], not: [["믿을 수 없음", "In doubt"]], counted: "3 / 3", doubted: 0 },
    model: { has: [["정상", "Active"]], not: [], suspended: "0" },
  },
  forfeited: {
    name: "during",
    device: { has: [["정지됨", "Suspended"], ["믿을 수 없는 기간", "Times in doubt"], ["제조사가 등록하지 않은 펌웨어", "has not registered"], ["몰수", "Forfeited"], ["그 계측값의 정산", "What was settled for them"]], not: [] },
    feed: { has: [["정지된 기기", "Device suspended"], ["몰수", "Forfeited"]], not: [], counted: "2 / 3", doubted: 8 },
    model: { has: [["정지됨", "Suspended"], ["제조사가 등록하지 않은 펌웨어", "has not registered"]], not: [], suspended: "1" },
  },
  settled: {
    name: "after",
    device: { has: [["정상", "Active"], ["믿을 수 없는 기간", "Times in doubt"], ["제조사가 등록하지 않은 펌웨어", "has not registered"]], not: [] },
    feed: { has: [["인정", "Accepted"]], not: [], counted: "3 / 3", doubted: 8 },
    model: { has: [["정상", "Active"]], not: [], suspended: "0" },
  },
};

// look opens a page in a language and checks that it says what it should, and fits its width.
async function look(page, kind, address, lang, want) {
  await page.goto(`${address}?lang=${lang}`);
  const text = (await page.locator("main").innerText()).replace(/\s+/g, " ");
  const word = (both) => both[lang === "ko" ? 0 : 1];
  for (const both of want.has) assert.ok(text.includes(word(both)), `${kind} does not say ${word(both)}: ${text}`);
  for (const both of want.not) assert.ok(!text.includes(word(both)), `${kind} says ${word(both)}: ${text}`);
  if (want.counted) assert.ok(text.includes(want.counted), `${kind} does not say ${want.counted}: ${text}`);
  if (want.suspended) assert.equal(await page.locator(".figures > div").nth(2).locator("dd").first().innerText(), want.suspended);
  const [whole, seen] = await page.evaluate(() => [document.documentElement.scrollWidth, window.innerWidth]);
  assert.ok(whole <= seen, `${kind} is ${whole} wide in a window of ${seen}`);
}

// doubted counts the readings of a feed that are marked, on the page that is open and those that follow it.
async function doubted(page) {
  for (let sum = 0; ; ) {
    sum += await page.locator("section[aria-labelledby=readings] .badge.failed[title]").count();
    const next = page.locator("section[aria-labelledby=readings] a[rel=next]");
    if ((await next.count()) === 0) return sum;
    await next.click();
  }
}

// top is what a picture shows of a page: of a device's the sections before its quarantine, which the feed's picture has, and its balances, as many as there is
// room for; of a feed's what comes before the many readings are at an end.
async function top(page, width, kind) {
  const ends = kind === "device" ? ["quarantine", "balances"] : ["terms"];
  const below = page.locator([...ends.map((id) => `section[aria-labelledby=${id}]`), "footer"].join(", ")).first();
  const { y } = await below.boundingBox();
  if (kind !== "device") return { x: 0, y: 0, width, height: Math.min(y, kind === "feed" ? 1000 : 1300) };
  const begins = await page.locator("main section").evaluateAll((all) => all.map((one) => one.getBoundingClientRect().top + window.scrollY));
  return { x: 0, y: 0, width, height: Math.max(...[...begins, y].filter((at) => at <= Math.min(y, 1200))) };
}

async function visit(browser, moment, pages) {
  for (const [size, viewport] of Object.entries({ desk, phone })) {
    const context = await browser.newContext({ viewport });
    const page = await context.newPage();
    for (const lang of ["ko", "en"]) {
      for (const kind of ["device", "model", "feed"]) {
        await look(page, kind, pages[kind], lang, moment[kind]);
        if (size !== "desk" || lang !== "ko") continue;
        const path = join(folder, `${kind}-${moment.name}.png`);
        await page.screenshot({ path, fullPage: true, clip: await top(page, viewport.width, kind) });
      }
      assert.equal(await doubted(page), moment.feed.doubted, "readings marked on the pages of the feed");
    }
    await context.close();
  }
}

const browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args: ["--no-sandbox"] });
const demo = spawn(dure, ["demo", "car", "--json", "--step"], { stdio: ["pipe", "pipe", "inherit"] });
const ended = once(demo, "exit");
const seen = [];
try {
  for await (const line of createInterface({ input: demo.stdout })) {
    const scene = JSON.parse(line);
    assert.match(scene.transactions[0].id, /^[0-9a-f]{64}$/);
    const moment = moments[scene.scene];
    if (moment) {
      await visit(browser, moment, scene.pages);
      seen.push(moment.name);
    }
    demo.stdin.write("\n");
  }
  const [code] = await ended;
  assert.equal(code, 0, "dure demo car failed");
  assert.deepEqual(seen, ["before", "during", "after"]);
} finally {
  demo.kill();
  await browser.close();
}

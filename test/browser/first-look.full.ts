/** The board as a visitor meets it: how it comes up, what it asks for, and what it makes of any spreadsheet. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test, type TestContext } from "node:test";
import type { Page } from "playwright-core";
import { seconds } from "../../src/base/units.ts";
import { readTabs } from "../../src/tools/emulator/sample-workbook.ts";
import { readTable } from "../../src/sheets/rows.ts";
import type { Cell, VisibleColumn } from "../../src/sheets/snapshot.ts";
import { namedTables, parseTables } from "../../src/sheets/tables.ts";
import { eventSheet, CODES } from "../app/session/people.ts";
import { PLAYERS, players, Sheet, world } from "../app/world.ts";
import { PHONE, skip, startBrowser } from "./browser.ts";

const text = (...names: string[]): VisibleColumn[] => names.map((name) => ({ name, type: "auto" }));

/** What moves without a person's doing, added up: https://web.dev/articles/cls. It is asked for before the page begins. */
const WATCH = `new PerformanceObserver((list) => {
  for (const { value, hadRecentInput } of list.getEntries()) if (!hadRecentInput) globalThis.moved = (globalThis.moved ?? 0) + value;
}).observe({ type: "layout-shift", buffered: true })`;

interface Seen {
  readonly page: Page;
  readonly requests: string[];
  /** Every line of the console that is red. */
  readonly red: string[];
}

/** Opens a page on a phone over a network on which each answer of the API is late by another time. */
async function look(t: TestContext, url: string): Promise<Seen> {
  const { page } = await (await startBrowser(t))("about:blank", { viewport: PHONE });
  const [requests, red]: [string[], string[]] = [[], []];
  page.on("request", (request) => requests.push(`${request.method()} ${new URL(request.url()).pathname}`));
  page.on("pageerror", (error) => red.push(String(error)));
  page.on("console", (line) => line.type() === "error" && red.push(line.text()));
  await page.addInitScript(WATCH);
  let nr = 0;
  await page.route(/\/(?:api\/(?!events)|healthz)/, async (route) => {
    nr += 1;
    await new Promise((resolve) => setTimeout(resolve, 60 * (nr % 4)));
    await route.fallback();
  });
  await page.goto(url);
  return { page, requests, red };
}

/** The demo's own tables. */
function demoSheet(): Sheet {
  const sheet = new Sheet();
  const tabs = readTabs("config/sample");
  for (const table of namedTables(parseTables(readFileSync("config/tables.json", "utf8"), "tables.json", seconds(30)))) {
    const reading = readTable(tabs.find(({ title }) => title === table.range)?.rows, table);
    assert.ok(reading.is === "ok");
    sheet.table(table.name, "public", reading.content.columns, reading.content.rows);
    sheet.grant(table.name, { append: table.append, update: table.update, key: table.key ?? "" });
  }
  sheet.users([["Ada", CODES.ada]]);
  return sheet;
}

const headings = (page: Page): Promise<string[]> => page.locator("h1").allInnerTexts();

test(
  "the demo on a phone: nothing jumps while it comes up; no probes, nothing red for an anonymous visitor, one main heading",
  { skip },
  async (t) => {
    await using w = await world(demoSheet());
    for (const [hash, loaded] of [
      ["", ".news li"],
      ["#teams", ".grid tbody tr"],
    ] as const) {
      const { page, requests, red } = await look(t, `${w.url}/${hash}`);
      await page.locator(loaded).first().waitFor();
      await page.locator("footer").waitFor();
      await page.locator('.live[data-state="live"]').waitFor();
      await page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))");
      const moved = Number(await page.evaluate("globalThis.moved ?? 0"));
      t.diagnostic(`layout shift of /${hash} on a phone: ${moved.toFixed(3)}`);
      assert.ok(moved <= 0.1, `/${hash}: ${moved}`);
      assert.deepEqual(red, []);
      assert.deepEqual(requests.filter((request) => /^OPTIONS|\/api\/(?:me|openapi\.json)$/.test(request)), []); // prettier-ignore
      assert.equal(requests.filter((request) => request === "GET /api/tables").length, 1);
      assert.equal((await headings(page)).length, 1);
      assert.match(String(await headings(page)), hash === "" ? /Lyon/ : /Standings/);
    }
  },
);

test(
  "a sign-up sheet without a key: the form has its first column, the name is stored as one, and no id is shown or asked for",
  { skip },
  async (t) => {
    const sheet = new Sheet();
    sheet.keyless("signups", text("Name", "Brings"), [["Ada", "cake"], ["Kim", null]]); // prettier-ignore
    sheet.grant("signups", { append: "public" });
    await using w = await world(sheet);
    const { page, red } = await look(t, `${w.url}/`);
    const form = page.locator(".writing form");
    await form.waitFor();
    assert.deepEqual(await form.locator("label span").allInnerTexts(), ["Name", "Brings"]);
    await form.locator("[name=Name]").fill("Ada");
    await form.locator("[name=Brings]").fill("tea");
    await form.locator("button").click();
    await page.locator(".grid tr", { hasText: "tea" }).waitFor();
    await page.locator('.written [data-state="kept"]').waitFor();
    assert.deepEqual(w.sheet.asked.map(({ request }) => request.changes), [[{ op: "append", values: { Name: "Ada", Brings: "tea" } }]]); // prettier-ignore
    await page.locator(".grid tbody tr:not(.pending)").nth(2).waitFor();
    const rows = page.locator(".grid tbody tr");
    assert.equal(await rows.count(), 3, "shown once, before and after it is stored");
    assert.match((await rows.allInnerTexts()).join("\n"), /Ada[^]*cake[^]*Kim[^]*Ada[^]*tea/);
    await page.locator("#search").fill("nobody has this");
    await page.getByText("No row matches “nobody has this”.").waitFor();
    assert.equal(await page.getByText("Nothing here yet").count(), 0);
    assert.deepEqual(red, []);
  },
);

const README: readonly (readonly [string, readonly VisibleColumn[], readonly Cell[][]])[] = [
  ["the key and names", text("id", "name", "mail"), [["p1", "Ada", "a@x"], ["p2", "Kim", null]]], // prettier-ignore
  ["the key alone", text("id", "score"), [["p1", 3], ["p2", 9]]], // prettier-ignore
];
for (const [what, columns, rows] of README)
  test(`the README's own example, a table "players" of ${what}: its rows, and nothing about a game`, { skip }, async (t) => {
    const sheet = new Sheet();
    sheet.table("players", "public", columns, rows);
    sheet.grant("players", { key: "id" });
    await using w = await world(sheet);
    w.health.demo = false;
    const { page, red } = await look(t, `${w.url}/`);
    await page.locator(".grid tbody tr").nth(1).waitFor();
    assert.deepEqual(await page.locator(".tabs a").allInnerTexts(), ["Players"]);
    assert.deepEqual(await headings(page), ["Players"]);
    const all = await page.locator("main").innerText();
    assert.doesNotMatch(all, /still in|Out|Playing\?|team/);
    const shown = columns.some(({ name }) => name === "name") ? ["name", "mail"] : ["id", "score"];
    assert.deepEqual(await page.locator(".grid thead th").allTextContents(), shown);
    assert.deepEqual(red, []);
  });

test("after a login the focus is on the page's heading, and what only members may read and write is there", { skip }, async (t) => {
  const sheet = eventSheet();
  sheet.table("players", "public", PLAYERS, players(3));
  await using w = await world(sheet);
  const { page, red } = await look(t, `${w.url}/#players`);
  await page.locator(".grid tbody tr").first().waitFor();
  assert.deepEqual(await page.locator(".tabs a").allInnerTexts(), ["Board", "Players"]);
  await page.locator("#enter").click();
  await page.locator("#login-name").fill("Ada");
  await page.locator("#login-secret").fill(CODES.ada);
  await page.locator("#login-send").click();
  await page.locator("#leave").waitFor();
  assert.equal(await page.evaluate("document.activeElement.tagName"), "H1");
  await page.locator(".tabs a", { hasText: "notes" }).click();
  await page.locator(".writing form").waitFor();
  assert.deepEqual(
    (await page.locator(".tabs a").allInnerTexts()).toSorted((a, b) => (a < b ? -1 : 1)),
    ["Board", "Players", "members", "notes"],
  );
  await page.reload();
  await page.locator("#leave").waitFor();
  await page.locator("#leave").click();
  await page.locator("#enter").waitFor();
  await page.locator(".tabs a", { hasText: "notes" }).waitFor({ state: "detached" });
  assert.deepEqual(red.filter((line) => /\b4\d\d\b/.test(line)), []); // prettier-ignore
});

/** The board in a real browser, before a whole daemon on the sample, and before the application alone where the ledger is to refuse. */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import type { Page } from "playwright-core";
import { session } from "../broker/ledger/ledgers.ts";
import { ROOT, start } from "../process/harness.ts";
import { folder } from "../support/cleanup.ts";
import { eventually } from "../support/wait.ts";
import { PLAYERS, players, sampleSheet, Sheet, world } from "../app/world.ts";
import { skip, SMALL, startBrowser, type Tab } from "./browser.ts";

const NAME = "Haruka Hayashi";

/** Logs in with the code that the demo offers. */
async function enter(page: Page, nr = 0): Promise<void> {
  await page.locator("#enter").click();
  await page.locator(".demo button").nth(nr).click();
  await page.locator("#login-send").click();
  await page.locator("#leave").waitFor();
}

/** Nothing is wider than the screen, but what scrolls by itself. */
const fits = (page: Page): Promise<boolean> => page.evaluate("document.documentElement.scrollWidth <= innerWidth");

/** The sample's tables, read again after a second, so that what happens in the sheet is seen at once. */
function quickTables(t: TestContext): { dir: string; file: string } {
  const dir = folder(t);
  const file = join(dir, "tables.json");
  writeFileSync(file, readFileSync(join(ROOT, "config/tables.json"), "utf8").replaceAll(/"ttl": "[^"]+"/g, '"ttl": "1s"'));
  return { dir, file };
}

test(
  "logging in, writing, seeing it live in a second browser, a file, a worker killed, a session that is taken over, the sheet away",
  { skip },
  async (t) => {
    const { dir, file } = quickTables(t);
    const env = { DROVER_WORKERS: "1", DROVER_TABLES: file, DROVER_UPSTREAM_TIMEOUT: "1s" };
    const [daemon, open] = await Promise.all([start(t, { cwd: dir, env }), startBrowser(t)]);
    const [mine, other] = await Promise.all([
      open(daemon.url),
      open(daemon.url, { locale: "fr-FR", viewport: SMALL, colorScheme: "dark" }),
    ]);
    await mine.page.locator(".ranking tbody tr").first().waitFor();
    await other.page.getByText("encore en jeu").first().waitFor();
    assert.ok((await fits(mine.page)) && (await fits(other.page)));
    await enter(mine.page);
    assert.match(await mine.page.locator(".own").innerText(), /Haruka Hayashi[^]*Lynx Croix-Rousse[^]*130/);

    await mine.page.locator(".checkin select").selectOption("Fourvière");
    await mine.page.locator(".checkin input").fill("=1+1 <img src=x onerror=alert(1)>");
    await mine.page.locator(".checkin button.main").click();
    const line = other.page.locator(".people li", { hasText: NAME });
    await line.getByText("=1+1 <img src=x onerror=alert(1)>").waitFor(); // live, as text
    await mine.page.locator('.written [data-state="landed"]').waitFor();
    await mine.page.locator(".checkin select").selectOption("Place Bellecour");
    await mine.page.locator(".checkin input").fill("moved on");
    await mine.page.locator(".checkin button.main").click();
    await line.getByText("moved on").waitFor();
    assert.equal(await line.count(), 1, "a change of the row, not a second one");
    const stored = (await (await fetch(`${daemon.url}/api/tables/checkins/${encodeURIComponent(NAME)}`)).json()) as { row: object };
    assert.deepEqual({ ...stored.row, at: 0 }, { player: NAME, zone: "Place Bellecour", message: "moved on", at: 0 });

    await mine.page.locator('nav a[href="#players"]').click();
    assert.equal(await mine.page.evaluate("document.activeElement.className"), "view-title");
    await mine.page.locator("#search").fill("haruka lynx");
    await mine.page.getByText("1 of 500").waitFor();
    const [download] = await Promise.all([mine.page.waitForEvent("download"), mine.page.getByRole("button", { name: "CSV" }).click()]);
    assert.match(download.suggestedFilename(), /^players-.*\.csv$/);
    const text = await readFile(await download.path(), "utf8");
    assert.equal(text.split("\r\n").length, 502);
    assert.doesNotMatch(text, /ZJKR/);

    const emulator = (await daemon.place("emulator/0")).child?.pid ?? 0;
    process.kill(emulator, "SIGSTOP");
    await mine.page.locator('[data-id="away"]').waitFor({ timeout: 60_000 });
    await mine.page.locator('nav a[href="#actions"]').click();
    await mine.page.locator("select[name=kind]").selectOption("report");
    await mine.page.locator("input[name=note]").fill("written while the sheet is away");
    await mine.page.locator(".writing button.main").click();
    await mine.page.locator('.written [data-state="kept"]').waitFor();
    await mine.page.locator(".grid tr", { hasText: "written while the sheet is away" }).getByText(NAME).waitFor();
    process.kill(emulator, "SIGCONT");
    await mine.page.locator('.written [data-state="landed"]').waitFor({ timeout: 60_000 });
    await mine.page.locator('[data-id="away"]').waitFor({ state: "detached", timeout: 60_000 });

    await enter(other.page);
    await mine.page.locator('[data-id="ended"]').getByText("You logged in somewhere else").waitFor();
    await mine.page.locator("#enter").waitFor();
    assert.deepEqual([mine.complaints, other.complaints], [[], []]);
  },
);

/** The application alone, with people who may log in. */
async function alone(): Promise<Awaited<ReturnType<typeof world>>> {
  const sheet = sampleSheet(40);
  sheet.grant("players", { append: "public", key: "id" });
  sheet.users([["Joueur 1", "K7M2-9QXR-4T3W"]]);
  return await world(sheet);
}

async function tryLogin({ page }: Tab): Promise<void> {
  await page.locator("#enter").click();
  await page.locator("#login-name").fill("joueur 1");
  await page.locator("#login-secret").fill("k7m29qxr4t3w");
  await page.locator("#login-send").click();
}

test("a full server: its sentence, the time that is left, and the place once there is one", { skip }, async (t) => {
  const open = await startBrowser(t);
  await using w = await alone();
  w.ledger.store.setMax(1);
  const [others, somebody] = [w.ledger.worker(), session("somebody else", Date.now())];
  assert.equal((await others.enter(somebody)).is, "in");
  const tab = await open(`${w.url}/`, { locale: "fr-FR" });
  await tryLogin(tab);
  const { page } = tab;
  await page.getByText("Serveur complet (1/1 place occupée). Réessaie dans quelques minutes.").waitFor();
  const send = page.locator("#login-send");
  assert.match(await send.innerText(), /^Réessayer dans \d:\d\d$/);
  assert.equal(await send.isDisabled(), true);
  assert.equal(await page.locator("#login-secret").inputValue(), "k7m29qxr4t3w", "nothing has to be typed again");
  await others.leave(somebody);
  await page.evaluate("{ const real = Date.now; Date.now = () => real() + 300_000; }");
  await page.locator("#login-send", { hasText: /^Réessayer$/ }).waitFor();
  await send.click();
  await page.locator(".own").getByText("Joueur 1").first().waitFor();
  await page.locator("#leave").click();
  await page.locator("#enter").waitFor();
  assert.deepEqual(tab.complaints, []);
});

test(
  "refused for a while: a write waits and is sent once; offline: it is kept over a reload, and goes when one is back",
  { skip },
  async (t) => {
    const open = await startBrowser(t);
    await using w = await alone();
    const tab = await open(`${w.url}/#players`);
    const { page } = tab;
    const form = page.locator(".writing form");
    await form.locator("[name=name]").fill("=<b>first</b>");
    let refused = 0;
    let cut = false;
    await page.route("**/api/tables/players", async (route) => {
      if (cut && route.request().method() !== "GET") return await route.abort();
      if (route.request().method() !== "POST" || (refused += 1) > 1) return await route.fallback();
      const body = { status: 429, code: "rate", detail: "too many writes" };
      return await route.fulfill({
        status: 429,
        headers: { "retry-after": "2", "content-type": "application/problem+json" },
        body: JSON.stringify(body),
      });
    });
    await form.locator("button").click();
    await page.getByText("too fast: sent again in 0:0").first().waitFor();
    await page.locator(".grid .pending", { hasText: "=<b>first</b>" }).waitFor();
    await page.locator('.written [data-state="kept"]').waitFor();
    assert.deepEqual([refused, w.sheet.asked.length], [2, 1]);
    await page.context().setOffline(true);
    await page.locator('[data-id="offline"]').waitFor();
    await form.locator("[name=name]").fill("second");
    await form.locator("button").click();
    await page.locator('.written [data-state="queued"]').waitFor();
    const name = String(await page.evaluate("JSON.parse(sessionStorage.getItem('board.outbox'))[0].once"));
    cut = true;
    await page.context().setOffline(false);
    await page.reload();
    await page.locator('.written [data-state="waiting"]', { hasText: "second" }).waitFor();
    cut = false;
    await eventually("both are written", () => w.sheet.asked.length === 2);
    const keys = w.sheet.asked.map(({ request }) => request.once?.key ?? "");
    assert.equal(keys[1], name, "under the name that it had before");
    assert.ok(new Set(keys).size === 2 && keys.every((key) => /^[0-9a-f]{32}$/.test(key)), keys.join());
    assert.deepEqual(
      w.sheet.asked.map(({ request }) => request.changes),
      [[{ op: "append", values: { name: "=<b>first</b>" } }], [{ op: "append", values: { name: "second" } }]],
    );
    w.sheet.refuse = { reason: "invalid", message: "name is too long", column: "name" };
    await form.locator("[name=name]").fill("third");
    await form.locator("button").click();
    await page.locator('.written [data-state="refused"]').getByText("not taken: name is too long").waitFor();
    assert.deepEqual(tab.complaints, []);
  },
);

test("cells and names are text, whatever they hold; focus and what is typed survive changes", { skip }, async (t) => {
  const open = await startBrowser(t);
  const nasty = `"><img src=x onerror="document.title='owned'"><script>document.title='owned'</script>`;
  const sheet = new Sheet();
  const columns = [...PLAYERS, { name: nasty, type: "string" }, { name: "constructor", type: "string" }] as const;
  const rows = players(60).map((row) => [...row.with(1, nasty), nasty, "__proto__"]);
  sheet.table("players", "public", columns, rows);
  sheet.table("constructor", "public", PLAYERS, players(2));
  await using w = await world(sheet);
  const { page, complaints } = await open(`${w.url}/#players`, { viewport: SMALL });
  await page.locator(".grid tbody tr").nth(49).waitFor();
  assert.equal(await page.evaluate("document.querySelectorAll('.grid img, .grid script').length"), 0);
  assert.ok(await fits(page));
  await page.locator("#search").pressSequentially("onerror p7");
  await page.getByText("1 of 60").waitFor();
  assert.equal(await page.evaluate("document.activeElement.id"), "search");
  await page.locator('nav a[href="#constructor"]').click();
  await page.locator(".grid tbody tr").nth(1).waitFor();
  assert.doesNotMatch(await page.title(), /owned/);
  assert.deepEqual(complaints, []);
});

test("without a public table the page says how to make one; the language can be switched and stays", { skip }, async (t) => {
  const open = await startBrowser(t);
  const sheet = new Sheet();
  sheet.table("players", "nobody", PLAYERS, players(3));
  await using w = await world(sheet);
  const { page, complaints } = await open(`${w.url}/`);
  await page.getByText("No table is public yet").waitFor();
  await page.locator("#language").click();
  await page.getByText("Aucune table n'est encore publique").waitFor();
  await page.reload();
  await page.getByText("Aucune table n'est encore publique").waitFor();
  assert.equal(await page.evaluate("document.documentElement.lang"), "fr");
  assert.deepEqual(complaints, []);
});

/** The page in a real browser. Skipped where there is none. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";
import { needs } from "../needs.ts";
import { PLAYERS, players, sampleSheet, Sheet, world } from "./world.ts";

const chromium = "chromium";
const skip = needs(chromium, "chromium");
const run = promisify(execFile);

/** @returns the page's DOM once its script has come to rest, and what the browser complained about. */
async function open(url: string, ...flags: string[]): Promise<{ dom: string; complaints: string[] }> {
  const profile = await mkdtemp(join(tmpdir(), "drover-browser-"));
  try {
    const common = [
      "--headless",
      "--no-sandbox",
      "--disable-gpu",
      "--disable-dev-shm-usage",
      "--enable-logging=stderr",
      `--user-data-dir=${profile}`,
    ];
    const { stdout, stderr } = await run(chromium, [...common, "--virtual-time-budget=3000", ...flags, "--dump-dom", url], {
      timeout: 60_000,
      maxBuffer: 16_777_216,
    });
    return { dom: stdout, complaints: stderr.split("\n").filter((line) => /CONSOLE|Content Security Policy|Uncaught/.test(line)) };
  } finally {
    await rm(profile, { recursive: true, force: true, maxRetries: 5 });
  }
}

test("rows, health and texts stand on the page, and nothing breaks the policy", { skip }, async () => {
  await using w = await world(sampleSheet(40));
  const { dom, complaints } = await open(`${w.url}/`, "--accept-lang=fr");
  assert.deepEqual(complaints, []);
  assert.match(dom, /data-state="ok"/);
  assert.match(dom, /Joueur 12</);
  assert.doesNotMatch(dom, /Joueur 13</);
  assert.match(dom, /En montrer plus \(28\)/);
  assert.match(dom, /12 lignes sur 40/);
  assert.match(dom, /<td class="number">37</);
  assert.doesNotMatch(dom, /<td class="number">Joueur/);
  assert.match(dom, new RegExp(`${w.url}</span>/api/tables/<span class="table-name">players`));
});

test("cells are text, whatever they hold", { skip }, async () => {
  const sheet = new Sheet();
  const nasty = `"><img src=x onerror="document.title='owned'"><script>document.title='owned'</script>`;
  sheet.table(
    "players",
    "public",
    [...PLAYERS, { name: nasty, type: "string" }],
    players(3).map((row) => [...row.with(1, nasty), nasty]),
  );
  await using w = await world(sheet);
  const { dom, complaints } = await open(`${w.url}/`);
  assert.deepEqual(complaints, []);
  assert.doesNotMatch(dom, /<title>owned|<img src="?x/);
  assert.match(dom, /&lt;img src=x/);
});

test("without a public table the page says how to make one", { skip }, async () => {
  const sheet = new Sheet();
  sheet.table("players", "nobody", PLAYERS, players(3));
  await using w = await world(sheet);
  const { dom } = await open(`${w.url}/`);
  assert.match(dom, /<div class="empty" id="empty">/);
  assert.doesNotMatch(dom, /Joueur/);
});

/** `drover check` asks the spreadsheet whether each table's range is a tab of it. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import test, { type TestContext } from "node:test";
import { temporaryFolder } from "../support/folder.ts";
import { answerJson, FakeGoogle, googleError, keyFile, quotaError, SPREADSHEET } from "../broker/upstream.ts";
import { DROVER, standalone } from "../tools/emulator/standalone.ts";
import { BOOK, world } from "../tools/emulator/world.ts";

interface Checked {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs `drover check` in a folder of its own, with these tables. @param may of each of them. */
function check(
  ranges: Readonly<Record<string, string>>,
  env: NodeJS.ProcessEnv,
  flags: readonly string[] = [],
  may: object = { read: "public" },
): Promise<Checked> {
  const cwd = temporaryFolder("tabs");
  const tables = Object.fromEntries(Object.entries(ranges).map(([name, range]) => [name, { range, ...may }]));
  writeFileSync(join(cwd, "tables.json"), JSON.stringify({ tables }));
  const all = { PATH: process.env["PATH"], DROVER_DEMO: "off", DROVER_TABLES: "tables.json", ...env };
  return new Promise((resolve) => {
    execFile(DROVER, ["check", ...flags], { cwd, env: all, timeout: 60_000 }, (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr }),
    );
  });
}

async function google(t: TestContext, ...tabs: readonly string[]): Promise<{ readonly fake: FakeGoogle; readonly env: NodeJS.ProcessEnv }> {
  const fake = await new FakeGoogle().start();
  t.after(() => fake.stop());
  for (const tab of tabs) fake.tabs.set(tab, [["id"]]);
  const endpoints = { DROVER_SHEETS_ENDPOINT: `${fake.url}/`, DROVER_OAUTH_ENDPOINT: `${fake.url}/` };
  return { fake, env: { DROVER_SPREADSHEET_ID: SPREADSHEET, GOOGLE_APPLICATION_CREDENTIALS: keyFile(), ...endpoints } };
}

test("a range whose tab is not in the spreadsheet is an error of the check, which names the tabs that are", async (t) => {
  const emulator = await standalone(t);
  const { code, stderr } = await check({ players: "PLAYERS!A1:F", scores: "Scores" }, emulator.env);
  assert.equal(code, 78, stderr);
  assert.match(stderr, /table scores: range Scores: the spreadsheet has no range 'Scores'.* tabs.*"players"/s);
  assert.doesNotMatch(stderr, /table players/);
  const right = await check({ players: "PLAYERS!A1:F" }, emulator.env);
  assert.deepEqual(
    [right.code, /^tabs: every table's tab is there \(1 call to Google\)$/m.test(right.stdout)],
    [0, true],
    right.stdout + right.stderr,
  );
});

test("a range that Google resolves to another tab is an error of the check, which names what Google read", async (t) => {
  const { fake, env } = await google(t, "players");
  // The first call lists the tabs.
  fake.faults.push(answerJson(200, { sheets: [{ properties: { title: "players" } }] }));
  fake.faults.push(answerJson(200, { valueRanges: [{ range: "players!Q1", values: [] }] }));
  const { code, stderr } = await check({ quarter: "Q1", players: "players" }, env);
  assert.equal(code, 78, stderr);
  assert.match(stderr, /table quarter: range Q1: Google read players!Q1 in place of 'Q1', another tab/);
});

test("the check is one call however many tables there are", async (t) => {
  const { fake, env } = await google(t, "players", "log", "Café");
  const { code, stdout } = await check({ a: "players", b: "LOG!A1:B", c: "Cafe\u0301" }, env);
  assert.equal(code, 0);
  assert.match(stdout, /^tabs: every table's tab is there/m);
  assert.equal(fake.apiCalls.length, 1);
});

test("without an answer from Google the tabs are not checked: the reason, and the exit code of the rest", async (t) => {
  const { fake, env } = await google(t, "players");
  for (const [fault, words] of [
    [googleError(503, "UNAVAILABLE", "The service is currently unavailable."), /503/],
    [quotaError(), /quota/],
    [googleError(403, "PERMISSION_DENIED", "The caller does not have permission"), /share it with/],
  ] as const) {
    fake.standing = fault;
    const { code, stdout } = await check({ scores: "Scores" }, env);
    assert.equal(code, 0, stdout);
    assert.match(/^tabs: not checked: .*$/m.exec(stdout)?.[0] ?? stdout, words);
  }
});

/** Lists these tabs once; what Google knows beyond them are titles that it folds by rules of its own. */
const lists = (...titles: readonly string[]) => answerJson(200, { sheets: titles.map((title) => ({ properties: { title } })) });

const unmatched = (count: number): string[] => Array.from({ length: count }, (_, i) => `tab ${i}`);
const tablesOf = (tabs: readonly string[]) => Object.fromEntries(tabs.map((tab, i) => [`t${i}`, tab]));

test("each range without a listed tab is asked for, however many there are, and a range once", async (t) => {
  const tabs = unmatched(5);
  const { fake, env } = await google(t, ...tabs);
  fake.faults.push(lists("players"));
  const { code, stdout, stderr } = await check({ ...tablesOf(tabs), again: "tab 4" }, env);
  assert.equal(code, 0, stderr);
  assert.match(stdout, /^tabs: every table's tab is there \(6 calls to Google\)$/m);
});

test("a range that Google gives no answer about is not checked: the reason, and the exit code of the rest", async (t) => {
  const { fake, env } = await google(t);
  for (const [fault, words] of [
    [googleError(503, "UNAVAILABLE", "The service is currently unavailable."), /503/],
    [quotaError(), /quota/],
  ] as const) {
    fake.faults.push(lists("players"));
    fake.standing = fault;
    const { code, stdout, stderr } = await check({ ...tablesOf(unmatched(5)), players: "players" }, env);
    assert.equal(code, 0, stderr);
    const line = /^tabs: not checked: .*$/m.exec(stdout)?.[0] ?? stdout;
    assert.match(line, words);
    assert.match(line, /: table t0, table t1, table t2, table t3, table t4: /);
    assert.doesNotMatch(stdout, /every table's tab is there/);
  }
});

test("beside a range that is wrong, one that Google gives no answer about is not called wrong", async (t) => {
  const { fake, env } = await google(t);
  fake.faults.push(lists("players"));
  const away = googleError(503, "UNAVAILABLE", "The service is currently unavailable.");
  const none = googleError(400, "INVALID_ARGUMENT", "Unable to parse range: 'tab 0'");
  fake.standing = (req, res) => (/ranges=[^&]*tab(?:%20|\+)0/.test(req.url ?? "") ? none : away)(req, res);
  const { code, stderr } = await check(tablesOf(unmatched(2)), env);
  assert.equal(code, 78, stderr);
  assert.match(stderr, /table t0: range tab 0: /);
  assert.doesNotMatch(stderr, /table t1: range/);
  assert.match(stderr, /tabs: not checked: table t1: .*503/);
});

test("ranges beyond what the check may ask are not checked, by name", async (t) => {
  const tabs = unmatched(10);
  const { fake, env } = await google(t, ...tabs);
  fake.faults.push(lists("players"));
  const { code, stdout, stderr } = await check(tablesOf(tabs), env);
  assert.equal(code, 0, stderr);
  assert.match(stdout, /^tabs: not checked: table t8, table t9: .*8 ranges/m);
  assert.equal(fake.apiCalls.length, 9);
});

test("--offline asks Google nothing, and the demo has nothing to ask", async (t) => {
  const { fake, env } = await google(t, "players");
  const offline = await check({ scores: "Scores" }, env, ["--offline"]);
  assert.deepEqual([offline.code, fake.asked.length], [0, 0], offline.stderr);
  assert.match(offline.stdout, /^tabs: not checked: --offline$/m);
  assert.match((await check({ scores: "Scores" }, { DROVER_DEMO: "on" })).stdout, /^tabs: not checked: the demo /m);
});

test("a right that the service account lacks is named, with the account to share the spreadsheet with", async (t) => {
  const spreadsheet = "a-spreadsheet-of-thirty-letters";
  const { emulator, url } = await world(t, { spreadsheets: [{ ...BOOK, id: spreadsheet }] });
  const endpoints = { DROVER_SHEETS_ENDPOINT: `${url}/`, DROVER_OAUTH_ENDPOINT: `${url}/` };
  const env = { DROVER_SPREADSHEET_ID: spreadsheet, GOOGLE_APPLICATION_CREDENTIALS: emulator.keyFile, ...endpoints };
  const run = (sharing: "editor" | "viewer" | "not shared", may?: object): Promise<Checked> => {
    emulator.share(spreadsheet, sharing);
    return check({ log: "Sheet1" }, env, [], may);
  };
  const written = { read: "public", append: "public" };
  const editor = await run("editor", written);
  assert.match(editor.stdout, /^tabs: every table's tab is there .*\nwrites: the service account may write \(1 call to Google\)\n$/m);
  const viewer = await run("viewer", written);
  assert.match(
    viewer.stdout,
    /^tabs: every .*\nwrites: refused: the service account can't write to the spreadsheet .*: share it as Editor with \S+@\S+ /m,
  );
  const stranger = await run("not shared", written);
  assert.match(
    stranger.stdout,
    /^tabs: not checked: the service account can't see the spreadsheet .*: share it with \S+@\S+ .*\nwrites: refused: /m,
  );
  assert.doesNotMatch((await run("viewer")).stdout, /^writes: /m);
  assert.deepEqual([editor.code, viewer.code, stranger.code], [0, 0, 0]);
  assert.deepEqual(await emulator.metadata(spreadsheet), []);
});

/** `drover backup` and `drover restore` of real daemons: nothing acknowledged is lost. What is refused: backup.full.ts. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { copyFileSync, cpSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { verifyJournal } from "../../src/broker/journal/verify.ts";
import { drover, post, texts, waiting } from "./backup-helper.ts";
import { crashWorld, type CrashWorld } from "./crash.ts";
import { ONE, ROOT, start } from "./harness.ts";
import { folder } from "../support/cleanup.ts";
import { eventually } from "../support/wait.ts";

const AWAY = "status=503,method=write,every=1";
/** Clients that post until they are told to end. @returns how many were acknowledged. */
function posting(world: CrashWorld, clients: number): () => Promise<number> {
  const enough = new AbortController();
  let count = 0;
  const client = async (): Promise<void> => {
    while (!enough.signal.aborted) {
      await post(world, `busy ${(count += 1)}`);
      await sleep(10);
    }
  };
  const all = Promise.all(Array.from({ length: clients }, client));
  return async () => {
    enough.abort();
    await all;
    return count;
  };
}

test("a backup of a daemon that writes, put back into an empty directory: what waited in it lands, once", async (t) => {
  const world = await crashWorld(t, ONE);
  const { dir } = world.daemon;
  await world.sheet.order(AWAY);
  for (const text of ["a", "b", "c"]) await post(world, text);
  const stop = posting(world, 4);
  const file = join(dir, "drover.backup");
  const made = await drover(dir, ["backup", file]);
  const busy = await stop();
  assert.equal(made.code, 0, made.said);
  t.diagnostic(`${made.said.trim()}; ${busy} writes were acknowledged meanwhile`);
  assert.match(made.said, /a journal with \d+ waiting writes?/);
  assert.equal(statSync(file).mode & 0o777, 0o600);
  assert.ok(!existsSync(join(dir, "var/journal.copy")));
  const listed = await promisify(execFile)("tar", ["tf", file]);
  assert.match(
    listed.stdout,
    /^manifest\.json\njournal\.db\nledger\.db\nadmin-token\nadmin-tokens\.json\nbroker\.json\nsession\.key\n(?:timeline\.jsonl\n)?$/,
  );
  assert.match((await drover(dir, ["backup", file])).said, /exists already: choose another name/);

  // Onto the daemon that runs, and over writes that wait.
  const onto = await drover(dir, ["restore", file]);
  assert.deepEqual([onto.code, /a daemon \(pid \d+\) already uses the data directory/.test(onto.said)], [75, true], onto.said);
  await world.daemon.stop("SIGKILL");
  const over = await drover(dir, ["restore", file], world.sheet.env);
  assert.deepEqual(
    [over.code, /holds \d+ acknowledged writes? that did not reach the spreadsheet yet.*--anyway.*Nothing was changed/.test(over.said)],
    [78, true],
    over.said,
  );

  // The machine is lost: all there is is the backup.
  const restored = folder(t);
  copyFileSync(file, join(restored, "b"));
  const back = await drover(restored, ["restore", "b"], world.sheet.env);
  assert.equal(back.code, 0, back.said);
  assert.match(back.said, /waiting writes? for drover-sample-workbook/);
  const { waiting: kept } = verifyJournal(join(restored, "var/journal.db"), "it");
  assert.ok(kept >= 3);
  renameSync(join(dir, "var"), join(dir, "lost"));
  cpSync(join(restored, "var"), join(dir, "var"), { recursive: true });
  await world.sheet.clear();
  await world.restart();
  await eventually("all of it has landed", () => waiting(world) === 0);
  assert.doesNotMatch(readFileSync(join(dir, "var/log/drover.log"), "utf8"), /were acknowledged/, "a backup is consistent in itself");
  const landed = await texts(world);
  assert.deepEqual(
    landed.filter((text) => text.length === 1),
    ["a", "b", "c"],
  );
  assert.equal(landed.length, kept, "each once");
});

test("a restore that was killed is ended by the next start, at whatever moment it was", async (t) => {
  const dir = folder(t);
  const inVar = (...names: string[]): string => join(dir, "var", ...names);
  const app = join(dir, "app.mjs");
  writeFileSync(app, "export default (req, res) => res.end('yes');\n");
  for (const [step, there] of [
    ["restore.ready", "old"],
    ["restore.placing", undefined],
  ] as const) {
    mkdirSync(inVar(step), { recursive: true });
    writeFileSync(inVar(step, "cookie.key"), step);
    if (there !== undefined) writeFileSync(inVar("cookie.key"), there);
    mkdirSync(inVar("restore.new"), { recursive: true });
    const daemon = await start(t, { cwd: dir, args: [app], env: ONE });
    assert.equal(readFileSync(inVar("cookie.key"), "utf8"), step);
    assert.ok(!["restore.new", "restore.ready", "restore.placing"].some((name) => existsSync(inVar(name))));
    await daemon.logged(/a restore into .* had been interrupted: it is done now/);
    await daemon.stop();
  }
});

/** What of a data directory is in no backup: docs/upgrade.md names each. Here a backup makes the first record of checklist.jsonl. */
const NOT_IN_IT =
  /^(?:checklist\.jsonl|snapshots|feed\.db|quota\.json|journal\.reserve|.*\.lock|drover\.pid|run|log|.*-(?:wal|shm)|emulator)$/;

test("sessions move with a backup: who is in stays in, who logged out stays out, and no file of the data directory is forgotten", async (t) => {
  const first = await start(t, { env: ONE });
  const login = async (url: string, nr: number): Promise<string> => {
    const line = readFileSync(join(ROOT, "config/sample/players.csv"), "utf8").split(/\r?\n/)[nr + 1] ?? "";
    const [, name, , , , secret] = line.split(",");
    const headers = { "Content-Type": "application/json" };
    const answer = await fetch(`${url}/api/login`, { method: "POST", headers, body: JSON.stringify({ name, secret }) });
    assert.equal(answer.status, 200, await answer.text());
    return answer.headers.getSetCookie()[0]?.split(";")[0] ?? "";
  };
  const me = async (url: string, cookie: string): Promise<unknown> => {
    const body = (await (await fetch(`${url}/api/me`, { headers: { Cookie: cookie } })).json()) as { name?: string; code?: string };
    return body.name ?? body.code;
  };
  const cookies = [await login(first.url, 0), await login(first.url, 1), await login(first.url, 2)] as const;
  const names = [await me(first.url, cookies[0]), await me(first.url, cookies[1])];
  assert.equal((await fetch(`${first.url}/api/logout`, { method: "POST", headers: { Cookie: cookies[2] } })).status, 204);
  const facts = (): number => {
    const database = new DatabaseSync(join(first.dir, "var/ledger.db"), { readOnly: true, timeout: 60_000 });
    const { count } = database.prepare("SELECT count(*) AS count FROM facts WHERE kind IN ('lease', 'ended')").get() ?? {};
    database.close();
    return Number(count);
  };
  await eventually("two who are in and one who is not are on disk", () => facts() === 3);
  const file = join(first.dir, "b");
  const there = readdirSync(join(first.dir, "var")); // others may be made while it copies
  const made = await drover(first.dir, ["backup", file]);
  assert.equal(made.code, 0, made.said);
  const kept = (await promisify(execFile)("tar", ["tf", file])).stdout.trim().split("\n");
  assert.deepEqual(
    there.filter((name) => !NOT_IN_IT.test(name) && !kept.includes(name)),
    [],
  );
  await first.stop();

  const cwd = folder(t);
  copyFileSync(file, join(cwd, "b"));
  const back = await drover(cwd, ["restore", "b"]);
  assert.match(back.said, /Sessions are as they were: .* To end them all: rm .*var\/session\.key/);
  for (const name of ["session.key", "ledger.db"]) assert.equal(statSync(join(cwd, "var", name)).mode & 0o777, 0o600, name);
  assert.match((await drover(cwd, ["check"])).said, /^sessions: by .*var\/session\.key$/m);
  const second = await start(t, { cwd, env: ONE });
  assert.deepEqual(
    [await me(second.url, cookies[0]), await me(second.url, cookies[1]), await me(second.url, cookies[2])],
    [...names, "revoked"],
  );
  assert.equal((await second.status()).slots?.used, 2);
  await second.stop();

  writeFileSync(join(cwd, "var/ledger.db"), "no database ".repeat(1_000));
  const damaged = await drover(cwd, ["backup", "c"]);
  assert.deepEqual(
    [damaged.code, /ledger\.db can't be copied: .*set aside at the next start.*Nothing was written/.test(damaged.said)],
    [78, true],
    damaged.said,
  );
});

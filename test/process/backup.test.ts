/** `drover backup` and `drover restore` of real daemons: while they write, and everything that can be wrong with a backup. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import {
  closeSync,
  copyFileSync,
  openSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import test, { type TestContext } from "node:test";
import { DatabaseSync } from "node:sqlite";
import { promisify } from "node:util";
import { writeEnd, writeEntry } from "../../src/cli/backup/tar.ts";
import { inspectJournal } from "../../src/broker/journal/inspect.ts";
import { verifyJournal } from "../../src/broker/journal/verify.ts";
import { keyFile } from "../broker/upstream.ts";
import { needs } from "../needs.ts";
import { pause } from "../times.ts";
import { crashWorld, send, type CrashWorld } from "./crash.ts";
import { cleanEnv, DROVER, ONE, ROOT, start } from "./harness.ts";
import { folder } from "../support/cleanup.ts";
import { eventually } from "../support/wait.ts";

interface Ran {
  readonly code: number;
  readonly said: string;
}

/** A command in a daemon's folder, with its settings. */
function drover(cwd: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Ran> {
  return promisify(execFile)(DROVER, args, { cwd, env: cleanEnv(env) }).then(
    ({ stdout }) => ({ code: 0, said: stdout }),
    (e: { code: number; stdout: string; stderr: string }) => ({ code: e.code, said: e.stdout + e.stderr }),
  );
}

const AWAY = "status=503,method=write,every=1";
/** While the daemon has it open. */
const waiting = ({ daemon }: CrashWorld): number => inspectJournal(join(daemon.dir, "var/journal.db"))?.waiting ?? -1;
const post = async (world: CrashWorld, text: string): Promise<void> =>
  assert.equal((await send("POST", `${world.url}/api/tables/posts`, { text })).status, 201);

/** Clients that post until they are told to end. @returns how many were acknowledged. */
function posting(world: CrashWorld, clients: number): () => Promise<number> {
  const enough = new AbortController();
  let count = 0;
  const client = async (): Promise<void> => {
    while (!enough.signal.aborted) {
      await post(world, `busy ${(count += 1)}`);
      await pause(10);
    }
  };
  const all = Promise.all(Array.from({ length: clients }, client));
  return async () => {
    enough.abort();
    await all;
    return count;
  };
}

const texts = async ({ sheet }: CrashWorld): Promise<string[]> =>
  (await sheet.rows("posts"))
    .slice(1)
    .map((row) => String(row[1]))
    .toSorted();

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
  assert.match(made.said, /a journal with \d+ writes? that waits?/);
  assert.equal(statSync(file).mode & 0o777, 0o600);
  assert.ok(!existsSync(join(dir, "var/journal.copy")));
  const listed = await promisify(execFile)("tar", ["tf", file]);
  assert.match(
    listed.stdout,
    /^manifest\.json\njournal\.db\nledger\.db\nadmin-token\nadmin-tokens\.json\nbroker\.json\nsession\.key\n(?:timeline\.jsonl\n)?$/,
  );
  assert.match((await drover(dir, ["backup", file])).said, /is there already: choose another name/);

  // Onto the daemon that runs, and over writes that wait.
  const onto = await drover(dir, ["restore", file]);
  assert.deepEqual([onto.code, /a daemon \(pid \d+\) already uses the data directory/.test(onto.said)], [75, true], onto.said);
  await world.daemon.stop("SIGKILL");
  const over = await drover(dir, ["restore", file], world.sheet.env);
  assert.deepEqual(
    [over.code, /holds \d+ writes? that waits? and w(as|ere) acknowledged.*--anyway.*Nothing was changed/.test(over.said)],
    [78, true],
    over.said,
  );

  // The machine is lost: all there is is the backup.
  const restored = folder(t);
  copyFileSync(file, join(restored, "b"));
  const back = await drover(restored, ["restore", "b"], world.sheet.env);
  assert.equal(back.code, 0, back.said);
  assert.match(back.said, /writes? that waits? for drover-sample-workbook/);
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

test("four backups at once of a running daemon and of a stopped one are all whole", async (t) => {
  const daemon = await start(t, { env: ONE });
  const four = (name: string): Promise<Ran[]> => Promise.all([1, 2, 3, 4].map((nr) => drover(daemon.dir, ["backup", `${name}-${nr}`])));
  const running = await four("running");
  assert.deepEqual(
    running.map(({ code }) => code),
    [0, 0, 0, 0],
    JSON.stringify(running),
  );
  await daemon.stop();
  const stopped = await four("stopped");
  assert.deepEqual(
    stopped.map(({ code }) => code),
    [0, 0, 0, 0],
    JSON.stringify(stopped),
  );
});

test("of a daemon that does not run, over one that went on: what was there is put aside", async (t) => {
  const world = await crashWorld(t, ONE);
  const { dir } = world.daemon;
  await post(world, "first");
  await eventually("it has landed", () => waiting(world) === 0);
  await world.daemon.stop();
  writeFileSync(join(dir, "var/cookie.key"), "a secret", { mode: 0o600 });
  assert.equal((await drover(dir, ["backup", "b"])).code, 0);
  writeFileSync(join(dir, "var/cookie.key"), "another", { mode: 0o600 });
  writeFileSync(join(dir, "var/later.json"), "{}");
  const back = await drover(dir, ["restore", "b"], world.sheet.env);
  assert.equal(back.code, 0, back.said);
  assert.equal(readFileSync(join(dir, "var/cookie.key"), "utf8"), "a secret");
  assert.ok(!existsSync(join(dir, "var/later.json")) && !existsSync(join(dir, "var/snapshots")) && !existsSync(join(dir, "var/feed.db")));
  const aside = readdirSync(join(dir, "var")).filter((name) => name.startsWith("before-restore-"));
  assert.equal(aside.length, 1);
  assert.ok(["cookie.key", "journal.db", "later.json", "snapshots"].every((name) => existsSync(join(dir, "var", aside[0] ?? "", name))));
  await world.restart();
  await post(world, "second");
  await eventually("it has landed", () => waiting(world) === 0);
  assert.deepEqual(await texts(world), ["first", "second"]);
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

test("what is no directory in the place of an interrupted restore ends a start with words, and nothing is moved", async (t) => {
  const dir = folder(t);
  const inVar = (...names: string[]): string => join(dir, "var", ...names);
  const app = join(dir, "app.mjs");
  writeFileSync(app, "export default (req, res) => res.end('yes');\n");
  mkdirSync(inVar(), { mode: 0o700 });
  mkdirSync(join(dir, "elsewhere"));
  writeFileSync(join(dir, "elsewhere/precious"), "");
  writeFileSync(inVar("cookie.key"), "old", { mode: 0o600 });
  for (const name of ["restore.ready", "restore.placing"])
    for (const make of [(path: string) => writeFileSync(path, ""), (path: string) => symlinkSync(join(dir, "elsewhere"), path)]) {
      make(inVar(name));
      const daemon = await start(t, { cwd: dir, args: [app], env: ONE, noWait: true });
      assert.equal((await daemon.exited).code, 78, daemon.stderr);
      assert.match(daemon.stderr, new RegExp(`^drover: .*var/${name} is no directory \\(expected .*Move it away, then start again$`, "m"));
      assert.ok(existsSync(inVar("cookie.key")) && existsSync(join(dir, "elsewhere/precious")));
      rmSync(inVar(name));
    }
});

/** What a later drover might write. */
function writeNewer(fd: number): void {
  const manifest = { format: 2, drover: "9.9.9" };
  const sha256 = createHash("sha256").update(JSON.stringify(manifest)).digest("hex");
  const bytes = Buffer.from(JSON.stringify({ drover_backup: manifest, sha256 }));
  const content = function* (): Generator<Uint8Array> {
    yield bytes;
  };
  writeEntry(fd, { name: "manifest.json", size: bytes.length }, content(), 0);
  writeEnd(fd);
}

async function archive(t: TestContext): Promise<{ dir: string; file: string; bytes: Buffer }> {
  const dir = folder(t);
  const { openJournal } = await import("../../src/broker/journal/open.ts");
  const { silent } = await import("../broker/journal/world.ts");
  const journal = await openJournal({
    dir: join(dir, "var"),
    spreadsheet: "1".repeat(30),
    now: () => 1 as never,
    log: silent,
    onFatal: () => {},
  });
  const { addOne } = await import("../broker/journal/world.ts");
  await addOne(journal);
  await journal.close();
  const file = join(dir, "good");
  assert.equal((await drover(dir, ["backup", file])).code, 0);
  return { dir, file, bytes: readFileSync(file) };
}

test("damaged and foreign backups are refused with words, and change nothing", async (t) => {
  const { dir, file, bytes } = await archive(t);
  const bad = join(dir, "bad");
  const before = readdirSync(join(dir, "var")).toSorted();
  const refused = async (words: RegExp, env: NodeJS.ProcessEnv = {}): Promise<void> => {
    const { code, said } = await drover(dir, ["restore", "--anyway", bad], env);
    assert.deepEqual([code, words.test(said)], [78, true], `${words}: ${said}`);
    assert.deepEqual(
      readdirSync(join(dir, "var"))
        .filter((name) => !name.startsWith("drover."))
        .toSorted(),
      before,
    );
  };
  await refused(/bad can't be read/);
  writeFileSync(bad, "");
  await refused(/it is no tar file/);
  writeFileSync(bad, "hello".repeat(1_000));
  await refused(/it is no tar file/);
  await promisify(execFile)("tar", ["cf", bad, "-C", join(dir, "var"), "journal.db"]);
  await refused(/does not begin with a manifest|which no backup of drover's does/);
  await promisify(execFile)("tar", ["cf", bad, "-C", "/", "etc/hostname"]);
  await refused(/etc\/hostname.*no backup of drover's/);
  for (const [where, words] of [
    [bytes.length - 4_000, /journal\.db is damaged: its SHA-256/],
    [600, /manifest is no JSON|does not begin with a manifest|its manifest is damaged/],
    [10, /list of files is damaged/],
  ] as const) {
    const flipped = Buffer.from(bytes);
    flipped[where] = (flipped[where] ?? 0) ^ 0x41;
    writeFileSync(bad, flipped);
    await refused(words);
  }
  for (const length of [bytes.length - 1_024, bytes.length - 4_096, 300]) {
    copyFileSync(file, bad);
    truncateSync(bad, length);
    await refused(/its end is missing|ends in the middle of a file|no tar file/);
  }
  const fd = openSync(bad, "w");
  writeNewer(fd);
  closeSync(fd);
  await refused(/a newer drover \(9\.9\.9\) made it, in the format 2/);
  copyFileSync(file, bad);
  await refused(/holds 1 write that waits for the spreadsheet 1{30}, and DROVER_SPREADSHEET_ID is 2{30}/, {
    DROVER_SPREADSHEET_ID: "2".repeat(30),
  });
});

test("where there is nothing, nothing is backed up", async (t) => {
  const { code, said } = await drover(folder(t), ["backup", "b"]);
  assert.deepEqual([code, /data directory .*var \(DROVER_DATA_DIR\) is not there/.test(said)], [78, true], said);
  assert.equal((await drover(folder(t), ["backup"])).code, 64);
});

test("another spreadsheet while writes wait: check says so, and the start is refused with the choice", async (t) => {
  const { dir } = await archive(t);
  const env = { DROVER_SPREADSHEET_ID: "2".repeat(30), GOOGLE_APPLICATION_CREDENTIALS: keyFile(), DROVER_DEMO: "off" };
  const words = /holds 1 write for the spreadsheet 1{30}.*Set it back to 1{30} until.*DROVER_DATA_DIR/;
  const checked = await drover(dir, ["check"], env);
  assert.deepEqual([checked.code, words.test(checked.said)], [78, true], checked.said);
  const daemon = await start(t, { cwd: dir, env, noWait: true });
  assert.equal((await daemon.exited).code, 78);
  assert.match(`${daemon.stderr}${JSON.stringify(daemon.log())}`, words);
  const same = await drover(dir, ["check"], { ...env, DROVER_SPREADSHEET_ID: "1".repeat(30) });
  assert.match(same.said, /journal: for 1{30}, 1 write waiting \(schema 2\)/);
});

/** What of a data directory is in no backup: docs/upgrade.md names each. Here a backup makes the first record of checklist.jsonl. */
const NOT_IN_IT = /^(?:checklist\.jsonl|snapshots|feed\.db|.*\.lock|drover\.pid|run|log|.*-(?:wal|shm)|emulator)$/;

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
    const database = new DatabaseSync(join(first.dir, "var/ledger.db"), { readOnly: true, timeout: 5_000 });
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

test(
  "a restore is on disk before it says so, and before anything takes the place of what was there",
  { skip: needs("strace", "strace") },
  async (t) => {
    const [from, to] = [folder(t), folder(t)];
    const kept = ["session.key", "mine.txt"];
    mkdirSync(join(from, "var"));
    for (const name of kept) writeFileSync(join(from, "var", name), `${name} `.repeat(20));
    const made = await drover(from, ["backup", join(to, "b")]);
    assert.equal(made.code, 0, made.said);
    const calls = join(to, "calls");
    const strace = ["-f", "-y", "-qq", "-o", calls, "-e", "trace=fsync,fdatasync,rename,renameat,renameat2,rmdir"];
    await promisify(execFile)("strace", [...strace, DROVER, "restore", "b"], { cwd: to, env: cleanEnv({}) });
    const lines = readFileSync(calls, "utf8").split("\n");
    const at = (what: RegExp): number => {
      const found = lines.findLastIndex((line) => what.test(line) && !line.includes("-1 E"));
      return found >= 0 ? found : assert.fail(`${what} is not among\n${lines.join("\n")}`);
    };
    const accepted = at(/rename.*restore\.ready/);
    for (const name of kept) {
      assert.ok(at(new RegExp(`sync.*restore\\.new/${name}>`)) < accepted, `${name} is on disk`);
      assert.ok(at(new RegExp(`rename.*restore\\.placing/${name}`)) < at(/sync.*\/var>/), `${name} is durably in its place`);
    }
    assert.ok(at(/sync.*restore\.new>/) < accepted, "their names are on disk");
  },
);

/** `drover backup` and `drover restore`: everything that can be wrong with a backup, and the rarer ways to make one. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import {
  closeSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import test, { type TestContext } from "node:test";
import { promisify } from "node:util";
import { writeEnd, writeEntry } from "../../src/tools/backup/tar.ts";
import { keyFile } from "../broker/upstream.ts";
import { needsStrace } from "../support/needs.ts";
import { drover, post, texts, waiting, type Ran } from "./backup-helper.ts";
import { crashWorld } from "./crash.ts";
import { cleanEnv, DROVER, ONE, start } from "./harness.ts";
import { folder } from "../support/cleanup.ts";
import { eventually } from "../support/wait.ts";

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
  await refused(/does not begin with a manifest|which no backup of drover's holds/);
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
  await refused(/holds 1 waiting write for the spreadsheet 1{30}, and DROVER_SPREADSHEET_ID is 2{30}/, {
    DROVER_SPREADSHEET_ID: "2".repeat(30),
  });
});

test("where there is nothing, nothing is backed up", async (t) => {
  const { code, said } = await drover(folder(t), ["backup", "b"]);
  assert.deepEqual([code, /data directory .*var \(DROVER_DATA_DIR\) does not exist/.test(said)], [78, true], said);
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

test(
  "a restore is on disk before it says so, and before anything takes the place of what was there",
  { skip: needsStrace() },
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

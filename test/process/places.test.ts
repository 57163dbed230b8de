/** Addresses, logs and settings of a running daemon. */
import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, readFileSync, renameSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import http from "node:http";
import { createServer } from "node:net";
import { join } from "node:path";
import test, { type TestContext } from "node:test";
import { promisify } from "node:util";
import { cleanEnv, Daemon, descendants, DROVER, get, ONE, ROOT, start } from "./harness.ts";
import { folder } from "../support/cleanup.ts";
import { eventually } from "../support/wait.ts";

const run = promisify(execFile);
const LISTENER = join(ROOT, "test/process/apps/listener.mjs");

function unix(socketPath: string): Promise<number> {
  return new Promise((resolve, reject) => {
    http
      .get({ socketPath, path: "/", agent: false }, (res) => {
        res.resume();
        resolve(res.statusCode ?? 0);
      })
      .on("error", reject);
  });
}

/** Containers often have no IPv6. */
const hasIpv6 = (): Promise<boolean> =>
  new Promise((resolve) => {
    const server = createServer().once("error", () => resolve(false));
    server.listen(0, "::1", () => server.close(() => resolve(true)));
  });

test("several addresses at once: IPv4, IPv6 and a unix socket, which is removed at the end", async (t) => {
  const dir = folder(t);
  const socket = join(dir, "web.sock");
  const tcp = ["127.0.0.1:0", (await hasIpv6()) ? "[::1]:0" : "127.0.0.2:0"];
  if (tcp[1] !== "[::1]:0") t.diagnostic("::1 can't be bound here: without IPv6");
  const daemon = await start(t, { cwd: dir, args: [LISTENER], bind: [...tcp, `unix:${socket}`].join(",") });
  const { urls } = await daemon.status();
  assert.equal(urls.length, 3);
  for (let i = 0; i < 6; i += 1) {
    assert.equal((await get(urls[0] ?? "")).status, 207);
    assert.equal((await get(urls[1] ?? "")).status, 207);
    assert.equal(await unix(socket), 207);
  }
  assert.equal((statSync(socket).mode & 0o777).toString(8), "660");
  process.kill((await daemon.place("worker/0")).child?.pid ?? 0, "SIGKILL");
  assert.equal(await unix(socket), 207);
  await daemon.stop();
  assert.equal(existsSync(socket), false);
});

test("a unix socket left by a killed daemon is taken over; one that somebody answers on is not; nothing is built under a running daemon", async (t) => {
  const dir = folder(t);
  const socket = join(dir, "web.sock");
  const first = await start(t, { cwd: dir, args: [LISTENER], bind: `unix:${socket}`, env: ONE });
  first.signal("SIGKILL");
  await first.exited;
  const second = await start(t, { cwd: dir, args: [LISTENER], bind: `unix:${socket}`, env: ONE });
  assert.equal(await unix(socket), 207);
  const third = await start(t, { args: [LISTENER], bind: `unix:${socket}`, noWait: true, env: ONE });
  assert.equal((await third.exited).code, 75);
  assert.equal(await unix(socket), 207);

  const note = join(ROOT, "dist/.running", String(second.pid));
  assert.ok(existsSync(note));
  const tree = checkout(t);
  copyFileSync(note, join(tree, "dist/.running", String(second.pid)));
  await assert.rejects(run(process.execPath, [join(tree, "bin/setup.mjs"), "start"]), {
    code: 75,
    message: new RegExp(`pid ${second.pid}.*runs from this folder`),
  });
  assert.equal(readFileSync(join(tree, "dist/.built"), "utf8"), "of other sources");
  assert.equal(existsSync(join(tree, "dist.new")), false);
  await second.stop();
  assert.equal(existsSync(note), false);
});

test("what a script prints becomes JSON lines with slot and stream; USR1 opens the moved log again: no line is lost, split or written to the old file", async (t) => {
  const daemon = await start(t, { args: [join(ROOT, "test/process/apps/plain.mjs")], env: ONE });
  const log = join(daemon.dir, "var/log/drover.log");
  await get(`${daemon.url}/print`);
  const line = await daemon.logged(/^in two lines$/);
  assert.deepEqual([line["role"], line["stream"], typeof line["slot"]], ["worker", "stdout", "number"]);
  assert.equal((await daemon.logged(/^and an error$/))["stream"], "stderr");
  renameSync(log, `${log}.1`);
  daemon.signal("SIGUSR1");
  await eventually("there is a new file", () => existsSync(log) && readFileSync(log, "utf8").includes("open again"));
  const size = statSync(`${log}.1`).size;
  await get(`${daemon.url}/print`);
  await daemon.logged(/^and an error$/);
  assert.equal(statSync(`${log}.1`).size, size);
  for (const file of [log, `${log}.1`]) for (const line of readFileSync(file, "utf8").trim().split("\n")) JSON.parse(line);
});

test("log on standard output: the children's lines come out whole there too", async (t) => {
  const daemon = await start(t, { args: [join(ROOT, "test/process/apps/plain.mjs"), "--log-file", "-"], env: ONE });
  await get(`${daemon.url}/print`);
  await eventually("the script's line is there", () => daemon.stdout.includes('"in two lines"'));
  for (const line of daemon.stdout.trim().split("\n")) JSON.parse(line);
});

test("a reload reads .env again: live rows at once, what needs a restart refused by name, a broken file changes nothing", async (t) => {
  const dir = folder(t);
  writeFileSync(join(dir, ".env"), "DROVER_GRACEFUL_TIMEOUT=20s\nDROVER_WORKER_CONNECTIONS=900\n");
  const daemon = await start(t, { cwd: dir, args: [LISTENER] });
  const reload = async (text: string): Promise<{ ok: boolean; message: string }> => {
    writeFileSync(join(dir, ".env"), text);
    return JSON.parse((await daemon.control("reload")).body) as { ok: boolean; message: string };
  };
  assert.equal(
    (await reload("DROVER_GRACEFUL_TIMEOUT=10s\nDROVER_WORKER_CONNECTIONS=800\nDROVER_BACKLOG=99\nDROVER_WORKERS=5\n")).ok,
    true,
  );
  await daemon.logged(/graceful_timeout: 20s → 10s/);
  await daemon.logged(/worker_connections: 900 → 800/);
  await daemon.logged(/backlog can't change while drover runs/);
  await daemon.logged(/DROVER_WORKERS.*hidden by|hidden by.*DROVER_WORKERS/);
  await eventually("the roll is done", async () => (await daemon.status()).lastRoll?.is === "done");
  const refused = await reload("DROVER_TIMEOUT=soon\n");
  assert.equal(refused.ok, false);
  assert.match(refused.message, /timeout.*soon.*\.env:1/);
  assert.equal((await daemon.status()).generation, 2, "nothing rolls");
  assert.equal((await get(daemon.url)).status, 207);
});

test("drover reload waits until the generation serves; drover stop until the daemon has gone; both say it, also where socket paths are over 107 bytes", async (t) => {
  const cwd = join(folder(t), "x".repeat(60), "y".repeat(60));
  mkdirSync(cwd, { recursive: true });
  const daemon = await start(t, { cwd, args: [LISTENER], env: ONE });
  const command = (...args: string[]) => run(DROVER, args, { cwd: daemon.dir, env: cleanEnv() });
  assert.match((await command("reload")).stdout, /generation 2 serves/);
  assert.match((await command("scale", "3")).stdout, /3 workers wanted/);
  await eventually("three are ready", async () => /3\/3 ready/.test((await command("status")).stdout));
  assert.match((await command("recycle", "1")).stdout, /worker 1/);
  assert.match((await command("reopen")).stdout, /open again/);
  for (const absurd of ["none", "0", "257"]) await assert.rejects(command("scale", absurd), { code: 64 }, absurd);
  await assert.rejects(command("recycle", "99"), { code: 64 });
  const family = descendants(daemon.pid);
  assert.match((await command("stop")).stdout, /stopped/);
  assert.equal((await daemon.exited).code, 0);
  assert.ok(family.length > 0);
  await assert.rejects(command("status"), { code: 69 });
  await assert.rejects(command("stop"), { code: 69 });
});

test("a wrong command line: 64 and the nearest word; a wrong setting: 78 and where it stands; nothing is started", async (t) => {
  const dir = folder(t);
  const fails = async (code: number, pattern: RegExp, args: string[], env: NodeJS.ProcessEnv = {}): Promise<void> => {
    const child = spawn(DROVER, args, { cwd: dir, env: cleanEnv(env), stdio: ["ignore", "pipe", "pipe"] });
    const daemon = new Daemon(child, dir);
    assert.equal((await daemon.exited).code, code, daemon.stderr);
    assert.match(daemon.stderr, pattern);
  };
  await fails(64, /did you mean serve\?/, ["serv"]);
  await fails(64, /--workers/, ["serve", "--worker", "2"]);
  await fails(78, /timeout.*environment/, ["serve"], { DROVER_TIMEOUT: "soon" });
  await fails(78, /DROVER_WORKERS/, ["serve"], { DROVER_WORKRES: "2" });
  await fails(78, /no such file|does not exist|missing/i, ["serve", "--env-file", "nowhere.env"]);
  await fails(4, /nothing\.mjs/, ["serve", "./nothing.mjs"], { DROVER_BIND: "127.0.0.1:0" });
  assert.equal(existsSync(join(dir, "var/run/control.sock")), false);
});

test("a data directory that can't be made: 78, its name and setting", async (t) => {
  const dir = folder(t);
  writeFileSync(join(dir, "file"), "");
  const daemon = await start(t, { cwd: dir, args: [LISTENER], env: { DROVER_DATA_DIR: join(dir, "file/under") }, noWait: true });
  assert.equal((await daemon.exited).code, 78);
  assert.match(daemon.stderr, /DROVER_DATA_DIR.*file\/under/);
});

test("drover check prints every setting with its source, and what strangers may read", async (t) => {
  const dir = folder(t);
  writeFileSync(join(dir, ".env"), "DROVER_TIMEOUT=20s\n");
  const { stdout } = await run(DROVER, ["check"], { cwd: dir, env: cleanEnv({ WEB_CONCURRENCY: "3", DROVER_DEMO: "on" }) });
  assert.match(stdout, /timeout\s+20s\s+.*\.env:1/);
  assert.match(stdout, /workers\s+3\s+.*WEB_CONCURRENCY/);
  assert.match(stdout, /players: read \(hidden: code\)/);
  assert.match(stdout, /actions: read, append \(hidden: target\)/);
});

test("0.5: drover config --explain is drover check", async (t) => {
  const dir = folder(t);
  const env = cleanEnv({ GUNICORN_WORKERS: "3", DROVER_DEMO: "on" });
  const [explained, checked] = await Promise.all([["config", "--explain"], ["check"]].map((args) => run(DROVER, args, { cwd: dir, env })));
  assert.match(explained?.stdout ?? "", /workers\s+3\s+.*GUNICORN_WORKERS/);
  assert.equal(explained?.stdout, checked?.stdout);
});

test("drover check says which tab a range is that looks like cells, and refuses one that can't be read", async (t) => {
  const dir = folder(t);
  const check = (range: string) => {
    writeFileSync(join(dir, "tables.json"), JSON.stringify({ tables: { quarter: { range } } }));
    return run(DROVER, ["check"], { cwd: dir, env: cleanEnv({ DROVER_DEMO: "on", DROVER_TABLES: "tables.json" }) });
  };
  assert.match((await check("Q1")).stdout, /quarter: range Q1 is the tab 'Q1' \(cells need their tab: 'TAB'!Q1\)/);
  await assert.rejects(check("'Q1"), /\/tables\/quarter\/range is "'Q1": expected a tab's title/);
});

/** What bin/setup.mjs reads, in a folder of the test's own: setup must not write to this checkout. */
function checkout(t: TestContext): string {
  const dir = folder(t);
  for (const path of ["bin", "dist/.running"]) mkdirSync(join(dir, path), { recursive: true });
  copyFileSync(join(ROOT, "bin/setup.mjs"), join(dir, "bin/setup.mjs")); // it takes the folder of its real path
  for (const path of ["src", "node_modules", "package-lock.json", "tsconfig.json", "bin/later", "bin/bundle.mjs", "bin/rehearse.mjs"])
    symlinkSync(join(ROOT, path), join(dir, path));
  writeFileSync(join(dir, "dist/.built"), "of other sources");
  return dir;
}

/** A daemon that root starts for another user: which processes are whose, and whose the files are. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import {
  chmodSync,
  chownSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { type TestContext } from "node:test";
import { cleanEnv, DROVER, get, ONE, ROOT, start, type Daemon } from "./harness.ts";
import { folder } from "../support/cleanup.ts";
import { eventually } from "../support/wait.ts";

const ROOT_ONLY = process.getuid?.() === 0 ? false : "needs root: it changes users";
const ID = 61_234;
/** The daemon's code, its Node.js and a temporary folder, as the user whom the daemon becomes has them. */
function unreachable(): string | undefined {
  const script = 'for path; do [ -r "$path" ] || { echo "$path"; exit 1; }; done';
  const paths = [DROVER, join(ROOT, "src/cli"), process.execPath, tmpdir()];
  const { status, stdout } = spawnSync("/bin/sh", ["-c", script, "sh", ...paths], { cwd: "/", uid: ID, gid: ID, encoding: "utf8" });
  return status === 0 ? undefined : stdout.trim();
}
const outOfReach = ROOT_ONLY === false ? unreachable() : undefined;
const OTHER_USER = ROOT_ONLY !== false ? ROOT_ONLY : outOfReach === undefined ? false : `another user can't reach ${outOfReach}`;
const LISTENER = join(ROOT, "test/process/apps/listener.mjs");
const USER = { ...ONE, DROVER_USER: `${ID}:${ID}`, DROVER_DEMO: "on" };

/** A folder that another user may enter, as a data directory's place must be. */
function open(t: TestContext): string {
  const dir = folder(t);
  chmodSync(dir, 0o755);
  return dir;
}

/** @returns a new directory of the other user's. */
function made(dir: string, name: string): string {
  const path = join(dir, name);
  mkdirSync(path);
  chownSync(path, ID, ID);
  return path;
}

/** Real, effective, saved and file system ids, and the groups. */
const idsOf = (pid: number): string[] =>
  readFileSync(`/proc/${pid}/status`, "latin1")
    .split("\n")
    .filter((line) => /^(?:Uid|Gid|Groups|CapEff):/.test(line))
    .map((line) => line.replaceAll(/\s+/g, " ").trim());

const children = async (daemon: Daemon): Promise<number[]> => (await daemon.status()).places.flatMap(({ child }) => child?.pid ?? []);

function* files(dir: string): Generator<string> {
  for (const entry of readdirSync(dir, { withFileTypes: true })) {
    yield join(dir, entry.name);
    if (entry.isDirectory()) yield* files(join(dir, entry.name));
  }
}

test(
  "started by root with DROVER_USER, every process is that user's and so is every file; it restarts and reloads",
  { skip: OTHER_USER },
  async (t) => {
    const cwd = open(t);
    for (let round = 0; round < 2; round += 1) {
      const daemon = await start(t, { cwd, env: USER });
      assert.ok(!/as root/.test(daemon.stderr), daemon.stderr);
      const pids = await children(daemon);
      assert.equal(pids.length, 3, "worker, broker, emulator");
      for (const pid of [daemon.pid, ...pids])
        assert.deepEqual(idsOf(pid), [
          `Uid: ${ID} ${ID} ${ID} ${ID}`,
          `Gid: ${ID} ${ID} ${ID} ${ID}`,
          `Groups: ${ID}`,
          "CapEff: 0000000000000000",
        ]);
      await eventually("rows are served", async () => (await get(`${daemon.url}/api/tables/players?limit=1`)).status === 200);
      assert.equal((await get(`${daemon.url}/admin/`)).status, 200, "workers reach the master's admin socket");
      const rooted = [...files(join(cwd, "var"))].filter((path) => statSync(path).uid !== ID).map((path) => path.slice(cwd.length));
      assert.deepEqual(rooted, []);
      if (round === 0) {
        daemon.signal("SIGHUP");
        await eventually("the roll is over", async () => (await daemon.status()).lastRoll?.is === "done");
      }
      if (round === 0) assert.equal((await daemon.stop()).code, 0);
      else {
        process.kill(pids[0] ?? 0, "SIGSTOP"); // only the kernel can end it when the master is killed
        await daemon.stop("SIGKILL");
      }
    }
  },
);

test("a user that does not exist, root, and a file that the user can't read: refused by name", { skip: OTHER_USER }, async (t) => {
  const cwd = open(t);
  const refusal = async (env: NodeJS.ProcessEnv): Promise<string> => {
    const daemon = await start(t, { cwd, env: { ...USER, ...env }, noWait: true });
    assert.equal((await daemon.exited).code, 78, daemon.stderr);
    return daemon.stderr;
  };
  assert.match(await refusal({ DROVER_USER: "nosuchuser" }), /DROVER_USER is nosuchuser, and there is no such user .*useradd/);
  assert.match(await refusal({ DROVER_USER: "root" }), /DROVER_USER is root, which is root/);
  assert.match(await refusal({ DROVER_USER: "a b" }), /DROVER_USER.*expected USER or USER:GROUP/);
  const tables = join(cwd, "tables.json");
  writeFileSync(tables, JSON.stringify({ tables: {} }), { mode: 0o600 });
  assert.match(await refusal({ DROVER_TABLES: tables }), /can't read the tables file .*tables\.json\. Give 61234 access/);
});

test("drover check by another user than root says what the daemon becomes, and refuses nothing", { skip: OTHER_USER }, (t) => {
  const env = cleanEnv({ DROVER_USER: "daemon", DROVER_DEMO: "on" });
  const { status, stdout, stderr } = spawnSync(DROVER, ["check"], { cwd: open(t), env, uid: ID, gid: ID, encoding: "utf8" });
  assert.equal(status, 0, stderr);
  assert.match(stdout, /^user: drover becomes daemon \(uid 1, gid 1\) when root starts it; as root, drover check also tries its files$/m);
});

test("a log that exists needs no right to its directory: a device, or a file that logrotate makes", { skip: OTHER_USER }, async (t) => {
  const cwd = open(t);
  const log = join(cwd, "drover.log");
  writeFileSync(log, "");
  chownSync(log, ID, ID);
  const env = { ...ONE, DROVER_DATA_DIR: made(cwd, "data"), DROVER_RUN_DIR: made(cwd, "run") };
  const daemon = await start(t, { cwd, uid: ID, args: [LISTENER], env: { ...env, DROVER_LOG_FILE: log } });
  assert.equal((await get(daemon.url)).status, 207);
  await eventually("it is written to", () => readFileSync(log, "utf8").includes("is ready"));
  assert.equal((await daemon.stop()).code, 0);
});

test("directories that others may enter are narrowed, with a line in the log; shared ones are refused; root without DROVER_USER is warned once", async (t) => {
  const cwd = folder(t);
  for (const path of ["var", "var/run"]) mkdirSync(join(cwd, path));
  for (const path of ["var", "var/run"]) chmodSync(join(cwd, path), 0o755);
  const daemon = await start(t, { cwd, args: [LISTENER], env: ONE });
  if (ROOT_ONLY === false) {
    assert.equal(daemon.stderr.match(/run as root: set DROVER_USER/g)?.length, 1);
    assert.equal(daemon.log().filter(({ msg }) => /run as root: set DROVER_USER/.test(String(msg))).length, 1);
  }
  for (const path of ["var", "var/run"]) {
    assert.equal(statSync(join(cwd, path)).mode & 0o777, 0o700, path);
    await daemon.logged(new RegExp(`${path} was open to others \\(mode 0755\\): it is 0700 now`));
  }
  assert.equal(statSync(join(cwd, "var/log/drover.log")).mode & 0o777, 0o640);
  assert.equal((await daemon.stop()).code, 0);
  writeFileSync(join(cwd, "var/tables.json"), "{}");
  chmodSync(join(cwd, "var"), 0o755);
  const again = await start(t, { cwd, args: [LISTENER], env: ONE });
  assert.equal(statSync(join(cwd, "var")).mode & 0o777, 0o700, "an operator's file among drover's own is no reason to refuse");
  assert.equal((await again.stop()).code, 0);
  const shared = mkdtempSync(join(cwd, "shared-"));
  writeFileSync(join(shared, "photo.jpg"), "");
  chmodSync(shared, 0o777);
  const refused = await start(t, { cwd, env: { ...ONE, DROVER_DATA_DIR: shared }, noWait: true });
  assert.equal((await refused.exited).code, 78);
  assert.match(
    refused.stderr,
    /^drover: DROVER_DATA_DIR: .* has mode 0777 \(expected 0700\) and holds what is not drover's, such as photo\.jpg\. chmod 700/,
  );
  assert.equal(statSync(shared).mode & 0o777, 0o777);
});

test("root does not follow a symlink that the user laid in the place of the log", { skip: OTHER_USER }, async (t) => {
  const cwd = open(t);
  const precious = join(cwd, "precious");
  writeFileSync(precious, "");
  mkdirSync(join(cwd, "var/log"), { recursive: true });
  chmodSync(join(cwd, "var"), 0o700);
  rmSync(join(cwd, "var/log/drover.log"), { force: true });
  symlinkSync(precious, join(cwd, "var/log/drover.log"));
  const daemon = await start(t, { cwd, env: USER, noWait: true });
  assert.equal((await daemon.exited).code, 78);
  assert.equal(readFileSync(precious, "utf8"), "");
});

/**
 * What a container is to drover, without an engine: PID 1 or a child of an init, a read-only root with one folder to write to, a user
 * without rights, a memory limit.
 */
import assert from "node:assert/strict";
import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { chmodSync, chownSync, existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import test, { type TestContext } from "node:test";
import { needs } from "../support/needs.ts";
import { alive, cleanEnv, Daemon, descendants, DROVER, get } from "../process/harness.ts";
import { folder, sent } from "../support/cleanup.ts";
import { eventually } from "../support/wait.ts";

const UNSHARE = ["--mount", "--pid", "--fork", "--ipc", "--kill-child"];
const INSIDE = join(import.meta.dirname, "inside.sh");
const USER = 10_001;

function cannot(): false | string {
  if (process.platform !== "linux" || process.getuid?.() !== 0) return "needs root on Linux";
  const trial = spawnSync("unshare", [...UNSHARE, "mount", "--make-rprivate", "/"], { stdio: "ignore" });
  if (trial.status !== 0) return "this machine grants no namespaces (an unprivileged container?)";
  const reach = spawnSync("setpriv", [`--reuid=${USER}`, `--regid=${USER}`, "--clear-groups", DROVER, "--version"], { stdio: "ignore" });
  return reach.status !== 0 && `user ${USER} can't reach ${DROVER}: clone it to where others may read`;
}

const skip = cannot() || needs("tini", "tini");

const APP = `
  import { spawn } from "node:child_process";
  export default (req, res) => {
    if (req.url === "/orphan") spawn("sh", ["-c", "sleep 0.2 &"], { stdio: "ignore", detached: true });
    if (req.url === "/slow") setTimeout(() => res.end("slow"), 700);
    else res.end(JSON.stringify({ uid: process.getuid(), ppid: process.ppid }));
  };`;

/** A daemon in namespaces of its own; its processes have other numbers there. */
async function begin(t: TestContext, way: "first" | "init"): Promise<{ daemon: Daemon; master: number; url: string }> {
  const dir = folder(t);
  chmodSync(dir, 0o755);
  mkdirSync(join(dir, "data"));
  for (const path of [dir, join(dir, "data")]) chownSync(path, USER, USER);
  writeFileSync(join(dir, "app.mjs"), APP);
  const env = cleanEnv({ container: "oci", DROVER_DATA_DIR: join(dir, "data"), DROVER_WORKERS: "2", DROVER_ROLL_SETTLE: "200ms" });
  const command = [DROVER, "serve", "--bind", "127.0.0.1:0", join(dir, "app.mjs")];
  const child: ChildProcess = spawn("unshare", [...UNSHARE, "bash", INSIDE, way, dir, String(USER), ...command], {
    env,
    stdio: ["ignore", "pipe", "pipe"],
  });
  const daemon = new Daemon(child, dir);
  t.after(async () => {
    const left = child.pid === undefined ? [] : [child.pid, ...descendants(child.pid)];
    for (const pid of left) sent(pid, "SIGKILL");
    await daemon.exited;
  });
  await daemon.ready();
  const master = descendants(daemon.pid).find((pid) => readFileSync(`/proc/${pid}/cmdline`, "latin1").startsWith("drover: master ")) ?? 0;
  const line = daemon.stdout.split("\n").find((text) => text.includes('"drover is ready"')) ?? "";
  const [url = ""] = (JSON.parse(line) as { addresses: string[] }).addresses;
  return { daemon, master, url };
}

const statusOf = (pid: number, name: string): string =>
  new RegExp(`^${name}:\\s+(.*)$`, "m").exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? "";
/** What /proc tells of a process; nothing of one that has just ended. */
function told(pid: number, what: "comm" | "cmdline"): string {
  try {
    return readFileSync(`/proc/${pid}/${what}`, "latin1");
  } catch {
    return "";
  }
}

const zombies = (among: readonly number[]): number => among.filter((pid) => existsSync(`/proc/${pid}`) && !alive(pid)).length;

for (const way of ["first", "init"] as const)
  test(`in a container, as ${way === "first" ? "PID 1" : "the child of an init"}`, { skip, timeout: 90_000 }, async (t) => {
    const { daemon, master, url } = await begin(t, way);
    const number = Number(statusOf(master, "NSpid").split(/\s+/).at(-1)); // as it is inside
    assert.equal(number === 1, way === "first");
    assert.deepEqual(
      [statusOf(master, "CapEff"), statusOf(master, "CapBnd"), statusOf(master, "NoNewPrivs")],
      ["0".repeat(16), "0".repeat(16), "1"],
    );
    const answer = JSON.parse((await get(url)).body) as { uid: number; ppid: number };
    assert.deepEqual(answer, { uid: USER, ppid: number });
    assert.match(daemon.stdout, /"msg":"drover \S+ starts/, "the log goes to standard output");
    assert.ok(existsSync(join(daemon.dir, "data/drover.pid")) && !existsSync(join(daemon.dir, "data/log")));

    for (let i = 0; i < 3; i += 1) await get(`${url}/orphan`);
    await eventually("the orphans have ended", () =>
      descendants(daemon.pid).every((pid) => !alive(pid) || !/sleep/.test(told(pid, "comm"))),
    );
    if (way === "init") await eventually("an init buries them", () => zombies(descendants(daemon.pid)) === 0);

    const workers = descendants(master);
    process.kill(master, "SIGHUP");
    await eventually("a reload works", () => daemon.stdout.includes("generation 2") && workers.every((pid) => !alive(pid)));
    const [victim = 0] = descendants(master).filter((pid) => told(pid, "cmdline").startsWith("drover: worker "));
    process.kill(victim, "SIGKILL");
    await eventually(
      "a dead worker is replaced and buried",
      () => !existsSync(`/proc/${victim}`) && /\(pid \d+\) is ready/.test(daemon.stdout),
    );

    const slow = get(`${url}/slow`);
    await new Promise((resolve) => setTimeout(resolve, 200)); // it has been sent
    const top = descendants(daemon.pid);
    process.kill(
      way === "first" ? master : (top.find((pid) => readFileSync(`/proc/${pid}/comm`, "utf8").startsWith("tini")) ?? 0),
      "SIGTERM",
    );
    assert.equal((await slow).body, "slow", "the engine's TERM drains");
    assert.deepEqual(await daemon.exited, { code: 0, signal: null });
    await eventually("nobody is left", () => top.every((pid) => !alive(pid)));
  });

/** Where this process may make a control group of its own with a memory limit; undefined: nowhere. */
function memoryGroup(t: TestContext): { readonly path: string; readonly limit: string } | undefined {
  const lines = readFileSync("/proc/self/cgroup", "utf8").split("\n");
  for (const [pattern, root, file] of [
    [/^\d+:memory:(.*)$/, "/sys/fs/cgroup/memory", "memory.limit_in_bytes"],
    [/^0::(.*)$/, "/sys/fs/cgroup", "memory.max"],
  ] as const) {
    const own = lines.map((line) => pattern.exec(line)?.[1]).find((found) => found !== undefined);
    const path = join(root, own ?? "", `drover-test-${process.pid}`);
    try {
      if (own === undefined || !readdirSync(join(root, own)).includes("cgroup.procs")) continue;
      mkdirSync(path);
      t.after(() => rmdirSync(path));
      if (existsSync(join(path, file))) return { path, limit: join(path, file) };
    } catch {
      // not ours to make: the next one, or none
    }
  }
  return undefined;
}

test("a container's memory limit is seen, and decides how many workers there are", { skip, timeout: 60_000 }, (t) => {
  const group = memoryGroup(t);
  if (group === undefined) return t.skip("no control group can be made here");
  writeFileSync(group.limit, String(512 * 1_048_576));
  const script = `echo $$ >"$1/cgroup.procs" && shift && exec "$@"`;
  const env = cleanEnv({ container: "oci", DROVER_DEMO: "on", DROVER_DATA_DIR: folder(t) });
  const checked = spawnSync("bash", ["-c", script, "bash", group.path, DROVER, "check"], { env, encoding: "utf8" });
  assert.equal(checked.status, 0, checked.stderr);
  const row = (name: string): string => new RegExp(`^${name} .*$`, "m").exec(checked.stdout)?.[0] ?? checked.stdout;
  assert.match(row("memory"), /512m .*cgroup/i);
  assert.match(row("workers"), /^workers\s+2\s/);
  console.log(`with a limit of 512 MiB: ${row("workers").replaceAll(/\s+/g, " ")}; ${row("memory").replaceAll(/\s+/g, " ")}`);
});

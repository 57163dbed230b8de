/** Processes that run out of descriptors live on, say what they can't read, and answer the operator. */
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import net from "node:net";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { alive, cleanEnv, Daemon, DROVER, get, ROOT, start } from "./harness.ts";
import { folder, sent } from "../support/cleanup.ts";
import { eventually } from "../support/wait.ts";

const PLAIN = join(ROOT, "test/process/apps/plain.mjs");
const LEAK = join(ROOT, "test/process/apps/leak.mjs");
const TWO_SERVERS = join(ROOT, "test/process/apps/two-servers.mjs");
const GRANDCHILD = join(ROOT, "test/process/apps/grandchild.mjs");

const openFiles = (pid: number): number => readdirSync(`/proc/${pid}/fd`).length;

function limitFiles(pid: number, most: number): void {
  const done = spawnSync("prlimit", ["--pid", String(pid), `--nofile=${most}:`], { encoding: "utf8" });
  assert.equal(done.status, 0, done.stderr);
}

/** Connections that never send a byte, as many as asked for; what the other side closes stays closed. */
function idle(t: TestContext, count: number, to: net.NetConnectOpts): net.Socket[] {
  const sockets = Array.from({ length: count }, () => net.connect(to).on("error", () => {}));
  t.after(() => sockets.forEach((socket) => socket.destroy()));
  return sockets;
}

const settled = (sockets: readonly net.Socket[]): Promise<true> =>
  eventually("every connection was accepted or refused", () => sockets.every((socket) => !socket.connecting));

/** A daemon that may open so many files from its start on. */
async function startWithin(
  t: TestContext,
  files: number,
  args: readonly string[],
  { app = PLAIN, ...env }: NodeJS.ProcessEnv & { app?: string } = {},
): Promise<Daemon> {
  const dir = folder(t);
  const words = ["serve", app, "--bind", "127.0.0.1:0", ...args];
  const child = spawn("sh", ["-c", `ulimit -n ${files}; exec "$0" "$@"`, DROVER, ...words], {
    cwd: dir,
    stdio: ["ignore", "pipe", "pipe"],
    env: cleanEnv({ DROVER_WORKERS: "2", DROVER_WORKER_CONNECTIONS: "40", ...env }),
  });
  t.after(() => child.exitCode === null && child.kill("SIGKILL"));
  return await new Daemon(child, dir).ready();
}

/** Waits until every worker has beaten so often. */
async function beats(daemon: Daemon, times: number): Promise<void> {
  const last = new Map<string, { age: number; beats: number }>();
  await eventually("they beat on", async () => {
    for (const { id, child } of (await daemon.status()).places) {
      const { age, beats } = last.get(id) ?? { age: 0, beats: 0 };
      last.set(id, { age: child?.beatAge ?? 0, beats: beats + ((child?.beatAge ?? 0) < age ? 1 : 0) });
    }
    return [...last.values()].every(({ beats }) => beats >= times);
  });
}

test("workers without a free descriptor keep beating, and no memory figure of theirs is a false zero", async (t) => {
  const daemon = await start(t, { args: [PLAIN], env: { DROVER_TIMEOUT: "3s" } });
  const pids = async (): Promise<number[]> => (await daemon.status()).places.map(({ child }) => child?.pid ?? 0);
  const before = await pids();
  for (const pid of before) limitFiles(pid, Math.max(64, openFiles(pid) + 4));
  const { port, hostname: host } = new URL(daemon.url);
  const sockets = idle(t, 400, { port: Number(port), host });
  await settled(sockets);
  const isFull = (): boolean =>
    before.some((pid) => openFiles(pid) >= 60) || daemon.log().some(({ msg }) => /it stops accepting/.test(String(msg)));
  await eventually("a worker has taken what it may", isFull);
  for (const pid of before) limitFiles(pid, openFiles(pid)); // not even one that it has in reserve can be opened again
  await beats(daemon, 4);
  assert.deepEqual(await pids(), before);
  for (const { child } of (await daemon.status()).places) assert.notEqual(child?.rss, 0);
  sockets.forEach((socket) => socket.destroy());
  await eventually("it answers", () => get(daemon.url).then(({ status }) => status === 200, () => false)); // prettier-ignore
});

/** One request each on connections that are opened at once. @returns how many were answered. */
async function answered(url: string, clients: number): Promise<number> {
  const answers = await Promise.allSettled(Array.from({ length: clients }, () => get(url, { headers: { Connection: "keep-alive" } })));
  return answers.filter(({ status }) => status === "fulfilled").length;
}

test("a worker whose application has used up its descriptors stops accepting: another worker answers every client", async (t) => {
  const daemon = await startWithin(t, 200, [], { app: LEAK });
  await get(`${daemon.url}/leak`);
  await daemon.logged(/^this worker may open only \d+ more files: it stops accepting/);
  for (let round = 0; round < 3; round += 1) assert.equal(await answered(daemon.url, 30), 30);
});

test("clients of a further server leave descriptors for as many connections of the first as its cap allows", async (t) => {
  const path = join(folder(t), "second.sock");
  const probe = net.createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => probe.once("listening", resolve));
  const { port } = probe.address() as net.AddressInfo;
  await new Promise((resolve) => probe.close(resolve));
  const env = { app: TWO_SERVERS, DROVER_WORKERS: "1", SECOND_PORT: String(port), SECOND_PATH: path };
  const daemon = await startWithin(t, 200, [], env);
  await settled(idle(t, 300, { port, host: "127.0.0.1" }));
  await eventually("the worker has accepted many", async () => openFiles((await daemon.place("worker/0")).child?.pid ?? 0) > 100);
  assert.equal(await answered(daemon.url, 38), 38);
});

test("100 idle control connections: a master of 150 descriptors lives, answers the operator and stops", async (t) => {
  const daemon = await startWithin(t, 150, []);
  const sockets = idle(t, 100, { path: join(daemon.dir, "var/run/control.sock") });
  await settled(sockets);
  for (let i = 0; i < 3; i += 1) assert.equal((await daemon.status()).pid, daemon.pid);
  assert.ok(openFiles(daemon.pid) <= 150 - 16, `${openFiles(daemon.pid)} descriptors are open`);
  const metrics = await get("http://localhost/metrics", { socketPath: join(daemon.dir, "var/run/control.sock") });
  assert.doesNotMatch(metrics.body, /^(?:process_resident_memory_bytes|process_open_fds|nodejs_heap_size_used_bytes)\S* 0$/m);
  assert.deepEqual(await daemon.stop(), { code: 0, signal: null });
});

test("200 idle connections to DROVER_ADMIN_BIND: a master of 150 descriptors lives, replaces a worker and answers both doors", async (t) => {
  const daemon = await startWithin(t, 150, ["--admin-bind", "127.0.0.1:0"]);
  const { port } = new URL((JSON.parse((await daemon.control("dashboard")).body) as { message: string }).message.split("\n", 1)[0] ?? "");
  const sockets = idle(t, 200, { port: Number(port), host: "127.0.0.1" });
  await settled(sockets);
  assert.equal((await daemon.status()).pid, daemon.pid);
  const [first] = (await daemon.status()).places;
  const victim = first?.child?.pid ?? 0;
  process.kill(victim, "SIGKILL");
  await eventually("it is replaced", async () => (await daemon.status()).places.every(({ child }) => child?.state === "ready" && child.pid !== victim)); // prettier-ignore
  const { status } = await get(`http://127.0.0.1:${port}/admin`);
  assert.equal(status, 200);
  assert.deepEqual(await daemon.stop(), { code: 0, signal: null });
});

test("a master without any free descriptor lives on, says that it can't read the machine, and recovers", async (t) => {
  const daemon = await start(t, { args: [PLAIN], env: { DROVER_WORKERS: "1" } });
  const limit = openFiles(daemon.pid);
  limitFiles(daemon.pid, limit - 16); // even what it holds in reserve can't be opened again
  await daemon.logged(/CPU and RAM can't be read/);
  assert.equal(daemon.process.exitCode, null);
  const text = (): Promise<string> => get("http://localhost/metrics", { socketPath: join(daemon.dir, "var/run/control.sock") }).then(({ body }) => body); // prettier-ignore
  limitFiles(daemon.pid, limit + 64);
  await eventually("it can be read again", async () => (await daemon.status()).machine !== null);
  assert.match(await text(), /^process_resident_memory_bytes\{role="master"\S* [1-9]/m);
});

test("processes that killed workers leave behind cost the master no descriptor", async (t) => {
  const daemon = await start(t, { args: [GRANDCHILD], env: { DROVER_WORKERS: "1" } });
  const left = (): number[] => daemon.log().flatMap(({ msg }) => /^left (\d+)$/.exec(String(msg))?.slice(1).map(Number) ?? []);
  t.after(() => left().forEach((pid) => sent(pid, "SIGKILL")));
  const before = openFiles(daemon.pid);
  for (let i = 0; i < 4; i += 1) {
    const pid = (await daemon.place("worker/0")).child?.pid ?? 0;
    process.kill(pid, "SIGKILL");
    await eventually("it is replaced", async () => {
      const { child } = await daemon.place("worker/0");
      return child?.state === "ready" && child.pid !== pid;
    });
  }
  assert.ok(left().filter(alive).length >= 4, "the processes that hold the pipes live");
  await eventually("their pipes are closed", () => openFiles(daemon.pid) <= before);
});

/** Shortages of descriptors that are rare: workers and a master without a single free one, crowds at the operator's doors. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { test } from "node:test";
import { answered, idle, openFiles, PLAIN, settled, startWithin } from "./descriptors-helper.ts";
import { alive, get, ROOT, start, type Daemon } from "./harness.ts";
import { atEnd, folder, sent } from "../support/cleanup.ts";
import { freePort } from "../support/ports.ts";
import { eventually, slow } from "../support/wait.ts";

const TWO_SERVERS = join(ROOT, "test/process/apps/two-servers.mjs");
const GRANDCHILD = join(ROOT, "test/process/apps/grandchild.mjs");

function limitFiles(pid: number, most: number): void {
  const done = spawnSync("prlimit", ["--pid", String(pid), `--nofile=${most}:`], { encoding: "utf8" });
  assert.equal(done.status, 0, done.stderr);
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
  const daemon = await start(t, { args: [PLAIN], env: { DROVER_TIMEOUT: slow(3) } });
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

test("clients of a further server leave descriptors for as many connections of the first as its cap allows", async (t) => {
  const path = join(folder(t), "second.sock");
  const port = await freePort();
  const env = { app: TWO_SERVERS, DROVER_WORKERS: "1", SECOND_PORT: String(port), SECOND_PATH: path };
  const daemon = await startWithin(t, 200, [], env);
  await settled(idle(t, 300, { port, host: "127.0.0.1" }));
  await eventually("the worker has accepted many", async () => openFiles((await daemon.place("worker/0")).child?.pid ?? 0) > 100);
  assert.equal(await answered(daemon.url, 38), 38);
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
  atEnd(t, async () => {
    for (const pid of left()) sent(pid, "SIGKILL");
  });
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

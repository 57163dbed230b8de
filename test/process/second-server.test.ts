/** An application with several servers: all of their sockets are the master's, so that a worker's end costs no client and no descriptor. */
import assert from "node:assert/strict";
import { existsSync, readdirSync } from "node:fs";
import net from "node:net";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import test, { type TestContext } from "node:test";
import { alive, get, ROOT, start, type Daemon } from "./harness.ts";
import { folder } from "../support/cleanup.ts";
import { freePort } from "../support/ports.ts";
import { eventually } from "../support/wait.ts";

interface Second {
  readonly daemon: Daemon;
  readonly url: string;
  readonly path: string;
}

async function twoServers(t: TestContext, workers: number): Promise<Second> {
  const [port, dir] = [await freePort(), folder(t)];
  const path = join(dir, "second.sock");
  const daemon = await start(t, {
    args: [join(ROOT, "test/process/apps/two-servers.mjs")],
    env: { DROVER_WORKERS: String(workers), SECOND_PORT: String(port), SECOND_PATH: path },
  });
  const url = `http://127.0.0.1:${port}`;
  // Ready means that the first server listens.
  await eventually("the second server listens", async () => (await get(url).catch(() => undefined))?.status === 200);
  await eventually("the third one does", () => existsSync(path));
  return { daemon, url, path };
}

/** What the raw server sends on a unix socket. */
async function greeting(path: string): Promise<string> {
  const socket = net.connect(path);
  socket.setTimeout(10_000, () => socket.destroy(new Error("no answer")));
  return await text(socket);
}

const descriptors = (pid: number): number => readdirSync(`/proc/${pid}/fd`).length;
const pidOf = async (daemon: Daemon, nr: number): Promise<number> => (await daemon.place(`worker/${nr}`)).child?.pid ?? 0;

const whole = (daemon: Daemon, workers: number, gone: number): Promise<true> =>
  eventually("all workers are ready", async () => {
    const { workers: now, places } = await daemon.status();
    return now.ready === workers && places.every(({ child }) => child?.pid !== gone);
  });

test("10 workers are stopped and then killed: clients of a second server are all answered, the master leaks no descriptor", async (t) => {
  const { daemon, url, path } = await twoServers(t, 2);
  const before = descriptors(daemon.pid);
  let failed = 0;
  for (let i = 0; i < 10; i += 1) {
    const victim = await pidOf(daemon, i % 2);
    process.kill(victim, "SIGSTOP");
    const clients = Array.from({ length: 6 }, () => get(url, { timeout: 10_000 }));
    const answers = await Promise.allSettled([...clients, greeting(path), greeting(path)]);
    failed += answers.filter(({ status }) => status === "rejected").length;
    process.kill(victim, "SIGKILL");
    await eventually("it is gone", () => !alive(victim));
    await whole(daemon, 2, victim);
  }
  const after = await eventually("descriptors are given back", () => descriptors(daemon.pid) <= before && descriptors(daemon.pid)).catch(
    () => descriptors(daemon.pid),
  );
  t.diagnostic(`10 rounds, 80 clients: ${failed} without an answer, the master's descriptors ${before} → ${after}`);
  assert.deepEqual([failed, after <= before], [0, true]);
});

test("with no worker alive, clients of a second server wait in the kernel's queue and are served", async (t) => {
  const { daemon, url } = await twoServers(t, 1);
  const victim = await pidOf(daemon, 0);
  process.kill(victim, "SIGKILL");
  await eventually("it is dead", () => !alive(victim));
  const answers = await Promise.all(Array.from({ length: 5 }, () => get(url)));
  assert.ok(answers.every(({ status, body }) => status === 200 && Number(body) !== victim));
});

test("listen({ fd }) in a worker fails with an error that names the setting to use", async (t) => {
  const { daemon } = await twoServers(t, 1);
  assert.match((await get(`${daemon.url}/descriptor`)).body, /listen\(\{ fd: 3 \}\).*DROVER_BIND/);
});

/** An application with several servers, over many deaths of workers: no client of a second server is lost, no descriptor is leaked. */
import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import net from "node:net";
import { text } from "node:stream/consumers";
import test from "node:test";
import { alive, get, type Daemon } from "./harness.ts";
import { pidOf, twoServers } from "./second-server-helper.ts";
import { eventually } from "../support/wait.ts";

/** What the raw server sends on a unix socket. */
async function greeting(path: string): Promise<string> {
  const socket = net.connect(path);
  socket.setTimeout(10_000, () => socket.destroy(new Error("no answer")));
  return await text(socket);
}

const descriptors = (pid: number): number => readdirSync(`/proc/${pid}/fd`).length;

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

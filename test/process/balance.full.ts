// alone
/** How evenly connections spread over the workers, and that nobody waits for it. */
import assert from "node:assert/strict";
import net from "node:net";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { untilHolds } from "../support/times.ts";
import { ROOT, start, type Daemon } from "./harness.ts";
import { eventually } from "../support/wait.ts";

const WORKERS = 8;
const CONNECTIONS = 100;
/** A busy machine may keep a worker or this client from running for a while: most tries of a promise about time. */
const TRIES = 6;
const app = (name: string): string => join(ROOT, "test/process/apps", name);

interface Opened {
  readonly socket: net.Socket;
  /** From connect() to the first byte of the answer, ms. */
  readonly waited: number;
}

function open(url: string): Promise<Opened> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    const begun = performance.now();
    const socket = net.connect(Number(port), hostname, () => socket.write("GET / HTTP/1.1\r\nHost: t\r\n\r\n"));
    socket.once("data", () => resolve({ socket, waited: performance.now() - begun }));
    socket.once("error", reject);
  });
}

async function openAll(url: string, gap: number | undefined, count = CONNECTIONS): Promise<Opened[]> {
  if (gap === undefined) return await Promise.all(Array.from({ length: count }, () => open(url)));
  const all: Opened[] = [];
  for (let nr = 0; nr < count; nr += 1) {
    all.push(await open(url));
    if (gap > 0) await sleep(gap);
  }
  return all;
}

const longestOf = (opened: readonly Opened[]): number => Math.max(...opened.map(({ waited }) => waited));
const isQuick = (millis: number): boolean => millis < 1_000;

const workersOf = async (daemon: Daemon) =>
  (await daemon.status()).places.flatMap((place) => (place.role === "worker" && place.child !== null ? [place.child] : []));

/** Connections of each worker, fewest first, once `drover status` shows `total` of them. */
async function counts(daemon: Daemon, total: number): Promise<number[]> {
  return await eventually(`${total} connections are shown`, async () => {
    const found = (await workersOf(daemon)).map(({ connections }) => connections ?? 0);
    return found.reduce((sum, n) => sum + n, 0) === total && found.toSorted((a, b) => a - b);
  });
}

async function closeAll(daemon: Daemon, all: readonly Opened[]): Promise<void> {
  for (const { socket } of all) socket.destroy();
  await counts(daemon, 0);
  await sleep(300); // the last news of the master to the workers
}

const serve = (t: TestContext, name: string, workers = WORKERS, env: NodeJS.ProcessEnv = {}): Promise<Daemon> =>
  start(t, { args: [app(name), "--workers", String(workers), "--timeout", "10s", "--graceful-timeout", "2s"], env });

test("100 keep-alive connections over 8 workers: the fullest has at most 1.5 times the mean, however they come", async (t) => {
  const daemon = await serve(t, "listener.mjs");
  await counts(daemon, 0);
  await sleep(300);
  for (const [name, gap] of [
    ["at once", undefined],
    ["one by one", 0],
    ["one every 10 ms", 10],
  ] as const) {
    const ratio = await untilHolds(
      TRIES,
      async () => {
        const opened = await openAll(daemon.url, gap);
        const found = await counts(daemon, CONNECTIONS);
        const fullest = ((found.at(-1) ?? 0) * WORKERS) / CONNECTIONS;
        t.diagnostic(`${name}: ${found.join(" ")}, fullest ÷ mean ${fullest.toFixed(2)}, longest wait ${longestOf(opened).toFixed(0)} ms`);
        await closeAll(daemon, opened);
        return fullest;
      },
      (fullest) => fullest <= 1.5,
    );
    assert.ok(ratio <= 1.5, `${name}: ${ratio}`);
  }
  assert.equal((await daemon.stop()).code, 0);
});

test("with the emptiest worker stopped no new connection waits for a second, noticed or not", async (t) => {
  const daemon = await serve(t, "listener.mjs", 4);
  const held = await openAll(daemon.url, undefined, 40);
  await counts(daemon, 40);
  const longest = await untilHolds(
    TRIES,
    async () => {
      const [victim] = (await workersOf(daemon)).toSorted((a, b) => (a.connections ?? 0) - (b.connections ?? 0));
      assert.ok(victim);
      process.kill(victim.pid, "SIGSTOP");
      const opened = await openAll(daemon.url, 25, 160);
      process.kill(victim.pid, "SIGCONT");
      t.diagnostic(`160 connections, one every 25 ms: the longest wait was ${longestOf(opened).toFixed(0)} ms`);
      for (const { socket } of opened) socket.destroy();
      await counts(daemon, 40);
      return longestOf(opened);
    },
    isQuick,
  );
  assert.ok(isQuick(longest), `${longest.toFixed(0)} ms`);
  for (const { socket } of held) socket.destroy();
  assert.equal((await daemon.stop()).code, 0);
});

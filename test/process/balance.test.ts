/** How evenly connections spread over the workers, and that nobody waits for it. */
import assert from "node:assert/strict";
import net from "node:net";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { times } from "../times.ts";
import { get, ROOT, start, until, type Daemon } from "./harness.ts";

const WORKERS = 8;
const CONNECTIONS = 100;
const app = (name: string): string => join(ROOT, "test/process/apps", name);

interface Opened {
  readonly socket: net.Socket;
  /** From connect() to the first byte of the answer, ms. */
  readonly waited: number;
  readonly answer: string;
}

function open(url: string): Promise<Opened> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    const begun = performance.now();
    const socket = net.connect(Number(port), hostname, () => socket.write("GET / HTTP/1.1\r\nHost: t\r\n\r\n"));
    socket.once("data", (answer: Buffer) => resolve({ socket, waited: performance.now() - begun, answer: answer.toString() }));
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

const workersOf = async (daemon: Daemon) =>
  (await daemon.status()).places.flatMap((place) => (place.role === "worker" && place.child !== null ? [place.child] : []));

/** Connections of each worker, fewest first, once `drover status` shows `total` of them. */
async function counts(daemon: Daemon, total: number): Promise<number[]> {
  return await until(`${total} connections are shown`, async () => {
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
    const tries: number[] = [];
    // On a machine that is busy with other things a worker may not run for a while: three tries.
    while (tries.length < 3 && !tries.some((ratio) => ratio <= 1.5)) {
      const opened = await openAll(daemon.url, gap);
      const found = await counts(daemon, CONNECTIONS);
      tries.push(((found.at(-1) ?? 0) * WORKERS) / CONNECTIONS);
      const longest = Math.max(...opened.map(({ waited }) => waited));
      t.diagnostic(`${name}: ${found.join(" ")}, fullest ÷ mean ${tries.at(-1)?.toFixed(2)}, longest wait ${longest.toFixed(0)} ms`);
      await closeAll(daemon, opened);
    }
    assert.ok(Math.min(...tries) <= 1.5, `${name}: ${tries.join(", ")}`);
  }
  assert.equal((await daemon.stop()).code, 0);
});

test("with the emptiest worker stopped no new connection waits for a second, noticed or not", async (t) => {
  const daemon = await serve(t, "listener.mjs", 4);
  const held = await openAll(daemon.url, undefined, 40);
  await counts(daemon, 40);
  const [victim] = (await workersOf(daemon)).toSorted((a, b) => (a.connections ?? 0) - (b.connections ?? 0));
  assert.ok(victim);
  process.kill(victim.pid, "SIGSTOP");
  const opened = await openAll(daemon.url, 25, 160);
  process.kill(victim.pid, "SIGCONT");
  const longest = Math.max(...opened.map(({ waited }) => waited));
  t.diagnostic(`160 connections, one every 25 ms: the longest wait was ${longest.toFixed(0)} ms`);
  assert.ok(longest < 1_000, `${longest.toFixed(0)} ms`);
  for (const { socket } of [...held, ...opened]) socket.destroy();
  assert.equal((await daemon.stop()).code, 0);
});

test("the same with every worker but one in an endless loop", async (t) => {
  const daemon = await serve(t, "stuck.mjs", 3);
  const held: Opened[] = [];
  const pidOf = ({ answer }: Opened): string => /(\d+)\s*$/.exec(answer)?.[1] ?? "";
  // On a machine that is busy with other things a worker may not run while the first thirty come.
  const [, ...victims] = await until("each worker has connections", async () => {
    held.push(...(await openAll(daemon.url, undefined, 30)));
    await counts(daemon, held.length);
    const one = [...new Map(held.map((opened) => [pidOf(opened), opened])).values()];
    return one.length === 3 && one;
  });
  for (const { socket } of victims) socket.write("GET /loop HTTP/1.1\r\nHost: t\r\n\r\n");
  const opened = await openAll(daemon.url, 25, times(40));
  const longest = Math.max(...opened.map(({ waited }) => waited));
  t.diagnostic(`${opened.length} connections, one every 25 ms: the longest wait was ${longest.toFixed(0)} ms`);
  assert.ok(longest < 1_000, `${longest.toFixed(0)} ms`);
  for (const { socket } of [...held, ...opened]) socket.destroy();
  assert.equal((await daemon.stop()).code, 0);
});

const CPUS = availableParallelism();
const FEW = { skip: CPUS > 4 && "more CPUs than the test starts workers for" } as const;

interface Churn {
  /** The longest wait for an answer, ms. */
  readonly longest: number;
  readonly asked: number;
  readonly failed: number;
}

/** `clients` who each ask on a connection of their own, again and again, until `enough`. */
async function churn(url: string, clients: number, enough: (asked: number) => boolean): Promise<Churn> {
  let [longest, asked, failed] = [0, 0, 0];
  const client = async (): Promise<void> => {
    while (!enough(asked)) {
      const begun = performance.now();
      const { status } = await get(url, { headers: { connection: "close" } });
      longest = Math.max(longest, performance.now() - begun);
      asked += 1;
      if (status !== 207) failed += 1;
    }
  };
  await Promise.all(Array.from({ length: clients }, client));
  return { longest, asked, failed };
}

/** Requests that each worker has answered so far, by slot. */
const served = async (daemon: Daemon): Promise<number[]> => (await workersOf(daemon)).map((child) => child.served ?? 0);

test("connections that come and go are left to as many workers as there are CPUs; the others take who waits too long", FEW, async (t) => {
  const daemon = await serve(t, "listener.mjs", CPUS * 4);
  const { longest, asked, failed } = await churn(daemon.url, 40, (done) => done >= times(4_000));
  assert.equal(failed, 0);
  const each = await until("all answers are shown", async () => {
    const found = await served(daemon);
    return found.reduce((sum, n) => sum + n, 0) >= asked && found;
  });
  const first = each.slice(0, CPUS).reduce((sum, n) => sum + n, 0) / asked;
  t.diagnostic(`${asked} requests, each on its own connection: ${each.join(" ")}; the longest wait ${longest.toFixed(0)} ms`);
  assert.ok(first > 0.6, `the first ${CPUS} of ${each.length} workers answered ${(first * 100).toFixed(0)} % of them`);
  assert.ok(longest < 1_000, `${longest.toFixed(0)} ms`);
  assert.equal((await daemon.stop()).code, 0);
});

test("when those that come first in churn are stopped, nobody waits for a second, and others come forward", FEW, async (t) => {
  const daemon = await serve(t, "listener.mjs", CPUS * 3);
  await churn(daemon.url, 20, (done) => done >= 1_000); // who is to stand by has found out
  const firsts = (await workersOf(daemon)).slice(0, CPUS).map(({ pid }) => pid);
  for (const pid of firsts) process.kill(pid, "SIGSTOP");
  const end = performance.now() + 3_500;
  const { longest, asked, failed } = await churn(daemon.url, 8, () => performance.now() > end);
  for (const pid of firsts) process.kill(pid, "SIGCONT");
  t.diagnostic(`${asked} requests in 3.5 s, each on its own connection: the longest wait ${longest.toFixed(0)} ms`);
  assert.equal(failed, 0);
  assert.ok(longest < 1_000, `${longest.toFixed(0)} ms`);
  assert.equal((await daemon.stop()).code, 0);
});

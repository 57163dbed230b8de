/** How evenly connections spread over the workers, and that nobody waits for it. */
import assert from "node:assert/strict";
import net from "node:net";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { times, untilHolds } from "../times.ts";
import { get, ROOT, start, type Daemon } from "./harness.ts";
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

test("the same with every worker but one in an endless loop", async (t) => {
  const daemon = await serve(t, "stuck.mjs", 3);
  const held: Opened[] = [];
  const pidOf = ({ answer }: Opened): string => /(\d+)\s*$/.exec(answer)?.[1] ?? "";
  // On a machine that is busy with other things a worker may not run while the first thirty come.
  const [, ...victims] = await eventually("each worker has connections", async () => {
    held.push(...(await openAll(daemon.url, undefined, 30)));
    await counts(daemon, held.length);
    const one = [...new Map(held.map((opened) => [pidOf(opened), opened])).values()];
    return one.length === 3 && one;
  });
  for (const { socket } of victims) socket.write("GET /loop HTTP/1.1\r\nHost: t\r\n\r\n");
  const longest = await untilHolds(
    TRIES,
    async () => {
      const opened = await openAll(daemon.url, 25, times(40));
      held.push(...opened);
      t.diagnostic(`${opened.length} connections, one every 25 ms: the longest wait was ${longestOf(opened).toFixed(0)} ms`);
      return longestOf(opened);
    },
    isQuick,
  );
  assert.ok(isQuick(longest), `${longest.toFixed(0)} ms`);
  for (const { socket } of held) socket.destroy();
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

/** `clients` who each ask on a connection of their own, again and again, for so long. */
async function churn(url: string, clients: number, millis: number): Promise<Churn> {
  let [longest, asked, failed] = [0, 0, 0];
  const end = performance.now() + millis;
  const client = async (): Promise<void> => {
    while (performance.now() < end) {
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

/** What each worker has answered of `asked`, once `drover status` shows all of it. */
async function servedOf(daemon: Daemon, before: readonly number[], asked: number): Promise<number[]> {
  return await eventually(`${asked} answers are shown`, async () => {
    const grown = (await served(daemon)).map((now, nr) => now - (before[nr] ?? 0));
    return grown.reduce((sum, n) => sum + n, 0) >= asked && grown;
  });
}

const share = (some: readonly number[], all: readonly number[]): number => some.reduce((a, b) => a + b, 0) / all.reduce((a, b) => a + b, 0);

/** Tries until one holds, and asserts that one did. */
async function oneTryHolds(t: TestContext, attempt: () => Promise<{ said: string; holds: boolean }>): Promise<void> {
  const logged = async () => {
    const result = await attempt();
    t.diagnostic(result.said);
    return result;
  };
  const { said, holds } = await untilHolds(TRIES, logged, (result) => result.holds);
  assert.ok(holds, said);
}

test("connections that come and go are left to as many workers as there are CPUs; the others take who waits", FEW, async (t) => {
  const daemon = await serve(t, "listener.mjs", CPUS * 4);
  await churn(daemon.url, 40, 500); // who is to stand by has heard of it
  await oneTryHolds(t, async () => {
    const before = await servedOf(daemon, [], 0);
    const { longest, asked, failed } = await churn(daemon.url, 40, times(1_500));
    assert.equal(failed, 0);
    const each = await servedOf(daemon, before, asked);
    const first = share(each.slice(0, CPUS), each);
    const said = `${asked} requests, each on its own connection: ${each.join(" ")}, the first ${CPUS} ${(first * 100).toFixed(0)} %; the longest wait ${longest.toFixed(0)} ms`;
    return { said, holds: first > 0.6 && isQuick(longest) };
  });
  assert.equal((await daemon.stop()).code, 0);
});

test("kept connections among them: whoever holds more than is fair no longer leads, and nobody is slower for it", FEW, async (t) => {
  const daemon = await serve(t, "listener.mjs", CPUS * 4);
  const alone = await churn(daemon.url, 40, 1_500);
  const kept: Opened[] = [];
  const opening = (async () => {
    for (let nr = 0; nr < 20; nr += 1) {
      kept.push(await open(daemon.url));
      await sleep(50);
    }
  })();
  await Promise.all([churn(daemon.url, 40, 1_500), opening]);
  await oneTryHolds(t, async () => {
    const before = await servedOf(daemon, [], 0);
    const { longest, asked, failed } = await churn(daemon.url, 40, 1_500);
    assert.equal(failed, 0);
    const each = await servedOf(daemon, before, asked);
    const conns = (await workersOf(daemon)).map(({ connections }) => connections ?? 0);
    const said = `${asked} requests (${alone.asked} without them): ${each.join(" ")}; kept ${conns.join(" ")}; the longest wait ${longest.toFixed(0)} ms`;
    return { said, holds: asked > alone.asked / 2 && isQuick(longest) };
  });
  for (const { socket } of kept) socket.destroy();
  assert.equal((await daemon.stop()).code, 0);
});

test("when those that lead are stopped, others do, and nobody waits for a second", FEW, async (t) => {
  const daemon = await serve(t, "listener.mjs", CPUS * 4);
  await oneTryHolds(t, async () => {
    await churn(daemon.url, 40, 500);
    const before = await served(daemon);
    const leaders = (await workersOf(daemon)).slice(0, CPUS).map(({ pid }) => pid);
    for (const pid of leaders) process.kill(pid, "SIGSTOP");
    const first = await churn(daemon.url, 40, 1_500);
    const later = await churn(daemon.url, 40, times(2_000));
    for (const pid of leaders) process.kill(pid, "SIGCONT");
    const each = await servedOf(daemon, before, first.asked + later.asked);
    assert.equal(first.failed + later.failed, 0);
    const next = share(each.slice(CPUS, 2 * CPUS), each);
    const said = `${first.asked} requests in the first 1.5 s, ${later.asked} in the next ${times(2)} s: ${each.join(" ")}, those next in line ${(next * 100).toFixed(0)} %; the longest waits ${first.longest.toFixed(0)} and ${later.longest.toFixed(0)} ms`;
    return { said, holds: next > 0.4 && isQuick(Math.max(first.longest, later.longest)) };
  });
  assert.equal((await daemon.stop()).code, 0);
});

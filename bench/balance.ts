/**
 * How evenly connections spread over the workers, what that costs, and who waits for it. Names what is compared with by the root of
 * another checkout (built): both are up at once and take turns.
 *
 *   npm run bench balance        [WORKERS=8] [ROUNDS=5] [REQUESTS=20000] [AGAINST=/path/to/another/checkout]
 */
import net from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { load } from "./load.ts";
import { drover, statusOf, type Stack } from "./stacks.ts";
import { cpuSeconds } from "./tree.ts";

const WORKERS = Number(process.env["WORKERS"] ?? 8);
const ROUNDS = Number(process.env["ROUNDS"] ?? 5);
const REQUESTS = Number(process.env["REQUESTS"] ?? 20_000);
const AGAINST = process.env["AGAINST"];
const CONNECTIONS = 100;
const PATH = "/api/tables/players?limit=115";
/** A worker's beat comes every second; what it says in between comes sooner. */
const NEWS = 1_100;
const WARM_UP = 8_000;

const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
const range = (values: readonly number[], digits = 2): string =>
  `${median(values).toFixed(digits)} (${Math.min(...values).toFixed(digits)}–${Math.max(...values).toFixed(digits)})`;

const workersOf = async (stack: Stack) =>
  (await statusOf(stack)).places.flatMap((place) => (place.role === "worker" && place.child !== null ? [place.child] : []));

interface Opened {
  readonly socket: net.Socket;
  /** From connect() to the first byte of the answer, ms. */
  readonly waited: number;
}

/** A keep-alive connection with one request answered. */
function open(port: number): Promise<Opened> {
  return new Promise((resolve, reject) => {
    const begun = performance.now();
    const socket = net.connect(port, "127.0.0.1", () => socket.write("GET /healthz HTTP/1.1\r\nHost: bench\r\n\r\n"));
    socket.once("data", () => resolve({ socket, waited: performance.now() - begun }));
    socket.once("error", reject);
  });
}

/** @param gap ms between one answer and the next connection; undefined: all at once. */
async function openAll(port: number, gap: number | undefined, count = CONNECTIONS): Promise<Opened[]> {
  if (gap === undefined) return await Promise.all(Array.from({ length: count }, () => open(port)));
  const all: Opened[] = [];
  for (let nr = 0; nr < count; nr += 1) {
    all.push(await open(port));
    if (gap > 0) await sleep(gap);
  }
  return all;
}

async function close(all: readonly Opened[]): Promise<void> {
  for (const { socket } of all) socket.destroy();
  await sleep(NEWS);
}

const ARRIVALS = [
  ["at once", undefined],
  ["one by one", 0],
  ["one every 10 ms", 10],
] as const;

async function spread(stacks: readonly Stack[]): Promise<void> {
  console.log(`\n${CONNECTIONS} keep-alive connections over ${WORKERS} workers, ${ROUNDS} rounds`);
  console.log("| opened | stack | fullest ÷ mean | the last round | longest wait ms |\n|---|---|---|---|---|");
  for (const [name, gap] of ARRIVALS) {
    for (const stack of stacks) {
      const ratios: number[] = [];
      const waits: number[] = [];
      let last: number[] = [];
      for (let round = 0; round < ROUNDS; round += 1) {
        const opened = await openAll(stack.port, gap);
        await sleep(NEWS);
        last = (await workersOf(stack)).map(({ connections }) => connections ?? 0).toSorted((a, b) => a - b);
        ratios.push((Math.max(...last) * last.length) / last.reduce((sum, n) => sum + n, 0));
        waits.push(Math.max(...opened.map(({ waited }) => waited)));
        await close(opened);
      }
      console.log(`| ${name} | ${stack.name} | ${range(ratios)} | ${last.join(" ")} | ${range(waits, 0)} |`);
    }
  }
}

async function cost(stacks: readonly Stack[], keepAlive: boolean): Promise<void> {
  const requests = keepAlive ? REQUESTS : REQUESTS / 4;
  const run = async (stack: Stack) => {
    const before = cpuSeconds(stack.pid);
    const { done, seconds, p50, p99, errors } = await load({ port: stack.port, path: PATH, connections: CONNECTIONS, requests, keepAlive });
    return { perCpuSecond: done / (cpuSeconds(stack.pid) - before), rate: done / seconds, p50, p99, errors };
  };
  for (const stack of stacks) await warmUp(() => run(stack));
  const rounds = new Map(stacks.map((stack) => [stack, [] as Awaited<ReturnType<typeof run>>[]]));
  for (let round = 0; round < ROUNDS; round += 1)
    for (const stack of round % 2 === 0 ? stacks : stacks.toReversed()) rounds.get(stack)?.push(await run(stack));
  console.log(
    `\n${keepAlive ? "keep-alive" : "a connection for each request"}, ${CONNECTIONS} at a time, ${requests} requests, ${ROUNDS} rounds`,
  );
  console.log("| stack | requests a CPU-second | × the last, per round | req/s | × the last, per round | p50 ms | p99 ms | errors |");
  console.log("|---|---|---|---|---|---|---|---|");
  const yardstick = rounds.get(stacks.at(-1) as Stack) ?? [];
  for (const [stack, runs] of rounds) {
    const of = (pick: (r: (typeof runs)[number]) => number): number[] => runs.map(pick);
    const ratio = (pick: (r: (typeof runs)[number]) => number): number[] =>
      runs.map((r, i) => pick(r) / pick(yardstick[i] as (typeof runs)[number]));
    const { perCpuSecond, rate } = {
      perCpuSecond: (r: (typeof runs)[number]) => r.perCpuSecond,
      rate: (r: (typeof runs)[number]) => r.rate,
    };
    const cells = [range(of(perCpuSecond), 0), range(ratio(perCpuSecond)), range(of(rate), 0), range(ratio(rate))];
    const waits = [
      range(
        of((r) => r.p50),
        1,
      ),
      range(
        of((r) => r.p99),
        1,
      ),
      of((r) => r.errors).reduce((a, b) => a + b, 0),
    ];
    console.log(`| ${[stack.name, ...cells, ...waits].join(" | ")} |`);
  }
}

/** Until V8 has compiled what is hot in every worker. */
async function warmUp(run: () => Promise<unknown>): Promise<void> {
  const end = performance.now() + WARM_UP;
  while (performance.now() < end) await run();
}

/** New connections, one every 25 ms, while a worker is stopped; before it is noticed and after. */
async function stuck(stack: Stack): Promise<void> {
  const held = await openAll(stack.port, undefined);
  await sleep(NEWS);
  const [victim] = (await workersOf(stack)).toSorted((a, b) => (a.connections ?? 0) - (b.connections ?? 0));
  if (victim === undefined) throw new Error("there is no worker");
  process.kill(victim.pid, "SIGSTOP");
  try {
    const opened = await openAll(stack.port, 25, 200);
    const waits = opened.map(({ waited }) => waited).toSorted((a, b) => a - b);
    const at = (q: number): string => (waits[Math.min(waits.length - 1, Math.floor(q * waits.length))] ?? Number.NaN).toFixed(0);
    console.log(`| ${stack.name} | ${at(0.5)} | ${at(0.99)} | ${at(1)} |`);
    await close(opened);
  } finally {
    process.kill(victim.pid, "SIGCONT");
    await close(held);
  }
}

/** CPU of master and workers, as a share of one core, over `span` ms. */
async function burns(stack: Stack, span: number): Promise<number> {
  const before = cpuSeconds(stack.pid);
  const begun = performance.now();
  await sleep(span);
  return (cpuSeconds(stack.pid) - before) / ((performance.now() - begun) / 1_000);
}

const only = process.env["ONLY"]?.split(",");
const wanted = (name: string): boolean => only === undefined || only.includes(name);
const stacks = [await drover(WORKERS)];
try {
  if (AGAINST !== undefined) stacks.push(await drover(WORKERS, {}, AGAINST));
  await sleep(2 * NEWS);
  if (wanted("spread")) await spread(stacks);
  if (wanted("keep-alive")) await cost(stacks, true);
  if (wanted("close")) await cost(stacks, false);
  console.log(
    "\nthe emptiest worker stopped, 200 connections, one every 25 ms\n| stack | wait p50 ms | p99 | longest |\n|---|---|---|---|",
  );
  for (const stack of stacks) await stuck(stack);
  console.log("\nCPU of the whole tree, share of a core\n| stack | idle | a quarter of the connections left, unevenly |\n|---|---|---|");
  for (const stack of stacks) {
    const idle = await burns(stack, 10_000);
    const opened = await openAll(stack.port, 0);
    await sleep(NEWS);
    await close(opened.filter((_, nr) => nr % WORKERS !== 0 && nr % WORKERS !== 3));
    console.log(`| ${stack.name} | ${(idle * 100).toFixed(1)} % | ${((await burns(stack, 10_000)) * 100).toFixed(1)} % |`);
    await close(opened);
  }
} finally {
  for (const stack of stacks) await stack.stop();
}

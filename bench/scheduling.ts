/**
 * What DROVER_WORKER_SCHEDULING does: cached rows on kept and on new connections, and short answers beside ones that compute. Daemons that differ in
 * it alone, and bare servers, are up at once and take turns. Asked by wrk and ab where they are installed.
 *
 *   npm run bench scheduling        [WORKERS=8] [ROUNDS=4] [SECONDS=3]
 */
import { mkdtempSync, rmSync } from "node:fs";
import http from "node:http";
import { tmpdir, totalmem } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { bytes } from "../src/base/units.ts";
import { nodeFlags } from "../src/cli/child-env.ts";
import { readSchedulingPolicy } from "../src/master/shell/procstat.ts";
import { bare, drover, type Stack } from "./stacks.ts";
import { cpuSecondsFine, family, sleepsOf } from "./tree.ts";
import { fetchAnswer, keepAnswer } from "./versus/answer.ts";
import { keepAlive, oneEach, type Sent } from "./versus/generate.ts";
import { short, spread } from "./versus/pages/figures.ts";

const WORKERS = Number(process.env["WORKERS"] ?? 8);
const ROUNDS = Number(process.env["ROUNDS"] ?? 4);
const SECONDS = Number(process.env["SECONDS"] ?? 3);
/** sched(7). */
const BATCH = 3;
const WAYS = ["normal", "batch"] as const;
const ROWS = "/api/tables/players?limit=115";
const SLEEPER = new URL("apps/sleeper.mjs", import.meta.url).pathname;
/** Until all have heard of the connections that have just left (src/worker/turnover.ts): else the next ones are spread by chance. */
const REST = 1_000;
const WARM_UP = 5_000;

interface Named {
  readonly name: string;
  readonly stack: Stack;
}

const row = (cells: readonly (string | number)[]): void => console.log(`| ${cells.join(" | ")} |`);
const head = (title: string, cells: readonly string[]): void =>
  console.log(`\n${title}\n| ${cells.join(" | ")} |\n${"|---".repeat(cells.length)}|`);

async function compare(title: string, all: readonly Named[], load: (stack: Stack) => Promise<Sent>): Promise<void> {
  for (const { stack } of all) for (const end = performance.now() + WARM_UP; performance.now() < end;) await load(stack);
  const found = new Map<Named, Record<string, number[]>>();
  for (const one of all) found.set(one, { rps: [], cpu: [], p50: [], p99: [], slept: [], errors: [] });
  for (let round = 0; round < ROUNDS; round += 1)
    for (const one of round % 2 === 0 ? all : all.toReversed()) {
      await sleep(REST);
      const [cpu, slept] = [cpuSecondsFine(one.stack.pid), sleepsOf(one.stack.pid)];
      const { requests, seconds, p50, p99, errors } = await load(one.stack);
      const spent = ((cpuSecondsFine(one.stack.pid) - cpu) / requests) * 100_000;
      const figures = { rps: requests / seconds, cpu: spent, p50, p99, slept: (sleepsOf(one.stack.pid) - slept) / requests, errors };
      for (const [key, value] of Object.entries(figures)) found.get(one)?.[key]?.push(value);
    }
  head(`${title}, ${WORKERS} workers, ${ROUNDS} rounds`, [
    "",
    "requests/s",
    "CPU-s for 100,000",
    "p50 ms",
    "p99 ms",
    "sleeps a request",
    "errors",
  ]);
  for (const [{ name }, { errors = [], ...figures }] of found)
    row([name, ...Object.values(figures).map((values) => spread(values)), errors.reduce((a, b) => a + b, 0)]);
}

function ask(port: number, path: string, agent: http.Agent): Promise<number> {
  const begun = performance.now();
  return new Promise((resolve, reject) => {
    http
      .get({ port, path, host: "127.0.0.1", agent }, (res) => res.resume().on("end", () => resolve(performance.now() - begun)))
      .on("error", reject);
  });
}

const quantile = (all: readonly number[], q: number): number => all.toSorted((a, b) => a - b)[Math.floor(all.length * q)] ?? Number.NaN;

/** Twenty clients who ask about every 10 ms for what takes no time, beside `slow` who ask at once again for what computes. */
async function beside(slow: number, computeMs: number, all: readonly Named[]): Promise<void> {
  const found = new Map(all.map((one) => [one, { fast: [] as number[], slow: [] as number[] }]));
  // The first one warms up.
  for (let round = -1; round < ROUNDS; round += 1)
    for (const one of round % 2 === 0 ? all : all.toReversed()) {
      const agent = new http.Agent({ keepAlive: true });
      const end = performance.now() + SECONDS * 1_000;
      const client = async (path: string, times: number[] = [], think = 0): Promise<void> => {
        while (performance.now() < end) {
          times.push(await ask(one.stack.port, path, agent));
          if (think > 0) await sleep(think * (0.5 + Math.random()));
        }
      };
      const many = (count: number, begin: () => Promise<void>): Promise<void>[] => Array.from({ length: count }, begin);
      const times = round < 0 ? undefined : found.get(one);
      await Promise.all([
        ...many(slow, () => client(`/?compute=${computeMs}`, times?.slow)),
        ...many(20, () => client("/", times?.fast, 10)),
      ]);
      agent.destroy();
      await sleep(REST);
    }
  head(`Short answers beside ${slow} clients whose answer computes for ${computeMs} ms`, [
    "",
    "short: p50 ms",
    "p95",
    "p99",
    "slow: p50",
    "p99",
  ]);
  for (const [{ name }, times] of found)
    row([name, ...[0.5, 0.95, 0.99].map((q) => short(quantile(times.fast, q))), ...[0.5, 0.99].map((q) => short(quantile(times.slow, q)))]);
}

async function together(env: NodeJS.ProcessEnv, use: (all: Named[]) => Promise<void>): Promise<void> {
  const all: Named[] = [];
  try {
    for (const way of WAYS) {
      const stack = await drover(WORKERS, { ...env, DROVER_WORKER_SCHEDULING: way });
      all.push({ name: way, stack });
      const policies = new Set(family(stack.pid).map(readSchedulingPolicy));
      if (policies.has(BATCH) !== (way === "batch")) throw new Error(`workers of "${way}" have the policies ${[...policies].join(", ")}`);
    }
    await use(all);
  } finally {
    for (const { stack } of all) await stack.stop();
  }
}

const dir = mkdtempSync(join(tmpdir(), "drover-bench-"));
try {
  await together({}, async (all) => {
    const file = keepAnswer(dir, await fetchAnswer(all[0]?.stack.port ?? 0, ROWS));
    const flags = nodeFlags("worker", { memory: bytes(totalmem()), workers: WORKERS, autopsy: false, ownCode: true });
    all.push({ name: "bare node:http", stack: await bare("held", WORKERS, file, flags) });
    all.push({ name: "bare node:http, batch", stack: await bare("held", WORKERS, file, flags, ["chrt", "-b", "0"]) });
    for (const connections of [16, 100, 500, 2_000])
      await compare(`Cached rows, ${connections} kept connections`, all, ({ port }) => keepAlive(port, ROWS, connections, SECONDS));
    await compare("Cached rows, a connection for each request, 100 at a time", all, ({ port }) => oneEach(port, ROWS, 100, 10_000));
  });
  await together({ DROVER_APP: SLEEPER, DROVER_DEMO: "off" }, async (all) => {
    await beside(1, 20, all);
    await beside(4, 20, all);
  });
} finally {
  rmSync(dir, { recursive: true, force: true });
}

/**
 * What access lines cost: cached reads of a 10 KB table with none, with one request in a hundred, and with all. Three daemons are up at once
 * and take turns, so that the machine's mood falls on all of them; the figure is requests a CPU-second of the whole process tree.
 *
 *   npm run bench access-log        [ROUNDS=7] [WORKERS=2] [REQUESTS=8000]
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { load } from "./load.ts";
import { drover, type Stack } from "./stacks.ts";
import { cpuSeconds } from "./tree.ts";

const ROUNDS = Number(process.env["ROUNDS"] ?? 7);
const WORKERS = Number(process.env["WORKERS"] ?? 2);
const REQUESTS = Number(process.env["REQUESTS"] ?? 8_000);
const PATH = "/api/tables/players?limit=115";
/** Most of the requests a CPU-second that lines of all may cost. */
const GOAL = 0.25;
const SETTINGS = ["off", "1%", "all"] as const;

interface Scenario {
  readonly name: string;
  readonly keepAlive: boolean;
  readonly requests: number;
}

const SCENARIOS: readonly Scenario[] = [
  { name: "hits, keep-alive", keepAlive: true, requests: REQUESTS },
  { name: "hits, a connection each", keepAlive: false, requests: Math.round(REQUESTS / 4) },
];

/** Requests a CPU-second of the tree, what waits to be written included. */
async function measure({ pid, port }: Stack, { keepAlive, requests }: Scenario): Promise<number> {
  const before = cpuSeconds(pid);
  const { done, errors } = await load({ port, path: PATH, connections: 50, requests, keepAlive });
  if (errors > 0) throw new Error(`${errors} of ${requests} requests failed`);
  await sleep(200);
  return done / (cpuSeconds(pid) - before);
}

const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
const percent = (share: number): string => `${(share * 100).toFixed(1)} %`;
const span = (values: readonly number[]): string => `${percent(Math.min(...values))}–${percent(Math.max(...values))}`;

async function compare(stacks: readonly Stack[], scenario: Scenario): Promise<boolean> {
  for (const stack of stacks) await measure(stack, scenario);
  const rates = stacks.map((): number[] => []);
  for (let round = 0; round < ROUNDS; round += 1) {
    const order = [...stacks.keys()].map((i) => (i + round) % stacks.length);
    for (const i of order) rates[i]?.push(await measure(stacks[i] as Stack, scenario));
  }
  console.log(`\n${scenario.name}: ${scenario.requests} requests a round, ${ROUNDS} rounds`);
  console.log("| access log | requests a CPU-second, median | costs, median of the rounds | least–most |\n|---|---|---|---|");
  const off = rates[0] ?? [];
  const costs = rates.map((mine) => mine.map((rate, round) => 1 - rate / (off[round] ?? Number.NaN)));
  for (const [i, setting] of SETTINGS.entries())
    console.log(`| ${setting} | ${median(rates[i] ?? []).toFixed(0)} | ${percent(median(costs[i] ?? []))} | ${span(costs[i] ?? [])} |`);
  return median(costs.at(-1) ?? []) <= GOAL;
}

const lines = ({ cwd }: Stack): number =>
  readFileSync(join(cwd, "var/log/drover.log"), "utf8")
    .split("\n")
    .filter((line) => line.endsWith('"msg":"request"}')).length;

const stacks: Stack[] = [];
let held = true;
try {
  for (const setting of SETTINGS) stacks.push(await drover(WORKERS, { DROVER_ACCESS_LOG: setting }));
  console.log(`${WORKERS} workers each, Node.js ${process.versions.node}`);
  for (const scenario of SCENARIOS) held = (await compare(stacks, scenario)) && held;
  console.log(`\nlines written: ${stacks.map((stack, i) => `${SETTINGS[i]} ${lines(stack)}`).join(", ")}`);
  console.log(`goal: lines of all requests cost at most ${percent(GOAL)} of the requests a CPU-second: ${held ? "reached" : "missed"}`);
} finally {
  for (const stack of stacks) await stack.stop();
}
process.exitCode = held ? 0 : 1;

/**
 * What access lines cost: cached reads of a 10 KB table with none, with one request in a hundred, and with all. All daemons are up at
 * once and take turns, so that the machine's mood falls on all of them; the figure is requests a CPU-second of the whole process tree. There are two
 * with no lines and two with all: daemons that are the same differ too, and the bench says by how much.
 *
 *   npm run bench access-log        [ROUNDS=8] [WORKERS=2] [REQUESTS=3000]
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { load } from "./load.ts";
import { drover, type Stack } from "./stacks.ts";
import { cpuSecondsFine } from "./tree.ts";

const ROUNDS = Number(process.env["ROUNDS"] ?? 8);
const WORKERS = Number(process.env["WORKERS"] ?? 2);
const REQUESTS = Number(process.env["REQUESTS"] ?? 3_000);
const PATH = "/api/tables/players?limit=115";
/** Rounds that are not counted: until V8 has compiled what is hot. */
const WARM_UP = 3;
/** Most of the requests a CPU-second that lines of all may cost. */
const GOAL = 0.25;
const SETTINGS = ["off", "1%", "all"] as const;
/** Which daemons there are. */
const DAEMONS = ["off", "all", "1%", "off", "all"] as const;

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
  const before = cpuSecondsFine(pid);
  const { done, errors } = await load({ port, path: PATH, connections: 50, requests, keepAlive });
  if (errors > 0) throw new Error(`${errors} of ${requests} requests failed`);
  await sleep(200);
  return done / (cpuSecondsFine(pid) - before);
}

const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
const percent = (share: number): string => `${(share * 100).toFixed(1)} %`;
async function compare(stacks: readonly Stack[], scenario: Scenario): Promise<boolean> {
  for (let nr = 0; nr < WARM_UP; nr += 1) for (const stack of stacks) await measure(stack, scenario);
  const rates = stacks.map((): number[] => []);
  for (let round = 0; round < ROUNDS; round += 1) {
    const order = [...stacks.keys()].map((i) => (i + round) % stacks.length);
    for (const i of order) rates[i]?.push(await measure(stacks[i] as Stack, scenario));
  }
  console.log(`\n${scenario.name}: ${scenario.requests} requests a round, ${ROUNDS} rounds`);
  console.log("| access log | requests a CPU-second | costs | one daemon and the other |\n|---|---|---|---|");
  const of = (setting: string): number[][] => rates.filter((_, i) => DAEMONS[i] === setting);
  const off = median(of("off").flat());
  const cost = (measured: readonly number[]): number => 1 - median(measured) / off;
  for (const setting of SETTINGS) {
    const each = of(setting).map((one) => percent(cost(one)));
    console.log(`| ${setting} | ${median(of(setting).flat()).toFixed(0)} | ${percent(cost(of(setting).flat()))} | ${each.join(", ")} |`);
  }
  return cost(of("all").flat()) <= GOAL;
}

const lines = ({ cwd }: Stack): number =>
  readFileSync(join(cwd, "var/log/drover.log"), "utf8")
    .split("\n")
    .filter((line) => line.endsWith('"msg":"request"}')).length;

const stacks: Stack[] = [];
let held = true;
try {
  for (const setting of DAEMONS) stacks.push(await drover(WORKERS, { DROVER_ACCESS_LOG: setting }));
  console.log(`${WORKERS} workers each, Node.js ${process.versions.node}`);
  for (const scenario of SCENARIOS) held = (await compare(stacks, scenario)) && held;
  console.log(`\nlines written: ${stacks.map((stack, i) => `${DAEMONS[i]} ${lines(stack)}`).join(", ")}`);
  console.log(`goal: lines of all requests cost at most ${percent(GOAL)} of the requests a CPU-second: ${held ? "reached" : "missed"}`);
} finally {
  for (const stack of stacks) await stack.stop();
}
process.exitCode = held ? 0 : 1;

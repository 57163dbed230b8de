/**
 * Cached reads of a 10 KB table: drover beside bare node:http on the same kind of held handle, with the same bytes, headers, worker count
 * and V8 flags (`writeHead` + `end(buffer)`, no library), and node:cluster's default for information. All stacks are up at once and take
 * turns, so that the machine's mood falls on all of them; the figure is CPU-seconds of the whole process tree per 100,000 requests.
 *
 *   npm run bench throughput        [ROUNDS=5] [WORKERS=8] [REQUESTS=40000]
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import http from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { nodeFlags } from "../src/cli/child-env.ts";
import { bytes } from "../src/base/units.ts";
import { totalmem } from "node:os";
import { load, type LoadResult } from "./load.ts";
import { bare, drover, type Stack } from "./stacks.ts";
import { cpuSeconds, pssMiB } from "./tree.ts";

const ROUNDS = Number(process.env["ROUNDS"] ?? 5);
const WORKERS = Number(process.env["WORKERS"] ?? 8);
const REQUESTS = Number(process.env["REQUESTS"] ?? 40_000);
const WARM_UP = 6_000;
/** 100 players of the sample: about 10 KB. */
const PATH = "/api/tables/players?limit=115";

interface Scenario {
  readonly name: string;
  readonly connections: number;
  readonly requests: number;
  readonly keepAlive: boolean;
}

const SCENARIOS: readonly Scenario[] = [
  { name: "keep-alive, 100 connections", connections: 100, requests: REQUESTS, keepAlive: true },
  { name: "no keep-alive, 100 at a time", connections: 100, requests: Math.round(REQUESTS / 4), keepAlive: false },
  { name: "keep-alive, 2,000 connections", connections: 2_000, requests: REQUESTS, keepAlive: true },
];

interface Answer {
  readonly headers: readonly string[];
  readonly body: Buffer;
}

/** What drover answers, so that the yardstick sends the same. */
function fetchAnswer(port: number): Promise<Answer> {
  return new Promise((resolve, reject) => {
    http
      .get({ port, path: PATH, host: "127.0.0.1", agent: false, headers: { connection: "keep-alive" } }, (res) => {
        const chunks: Buffer[] = [];
        res.on("data", (chunk: Buffer) => chunks.push(chunk));
        res.on("end", () => resolve({ headers: ownHeaders(res.rawHeaders), body: Buffer.concat(chunks) }));
      })
      .on("error", reject);
  });
}

/** Without what node:http adds by itself. */
const ownHeaders = (raw: readonly string[]): string[] =>
  raw.filter((_, i) => !/^(date|connection|keep-alive)$/i.test(raw[i - (i % 2)] ?? ""));

interface Measured extends LoadResult {
  readonly cpuPer100k: number;
}

async function measure(stack: Stack, scenario: Scenario): Promise<Measured> {
  const before = cpuSeconds(stack.pid);
  const result = await load({ port: stack.port, path: PATH, ...scenario });
  return { ...result, cpuPer100k: ((cpuSeconds(stack.pid) - before) / result.done) * 100_000 };
}

/** Until V8 has compiled what is hot in every worker: a server that has just started is not what is compared. */
async function warmUp(stack: Stack, scenario: Scenario): Promise<void> {
  const end = performance.now() + WARM_UP;
  while (performance.now() < end) await measure(stack, scenario);
}

const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
const show = (values: readonly number[], digits = 2): string =>
  `${median(values).toFixed(digits)} (${Math.min(...values).toFixed(digits)}–${Math.max(...values).toFixed(digits)})`;

async function compare(stacks: readonly Stack[], scenario: Scenario): Promise<void> {
  const rounds = new Map(stacks.map((stack) => [stack, [] as Measured[]]));
  for (const stack of stacks) await warmUp(stack, scenario);
  for (let round = 0; round < ROUNDS; round += 1) {
    const order = round % 2 === 0 ? stacks : stacks.toReversed();
    for (const stack of order) rounds.get(stack)?.push(await measure(stack, scenario));
  }
  console.log(`\n${scenario.name}: ${scenario.requests} requests, ${ROUNDS} rounds`);
  console.log("| stack | CPU-s per 100k | × bare held, per round | req/s | p50 ms | p99 ms | errors |\n|---|---|---|---|---|---|---|");
  const yardstick = rounds.get(stacks[1] as Stack) ?? [];
  for (const [stack, runs] of rounds) {
    const ratios = runs.map((run, i) => run.cpuPer100k / (yardstick[i]?.cpuPer100k ?? Number.NaN));
    const of = (pick: (run: Measured) => number): number[] => runs.map(pick);
    const errors = of((r) => r.errors).reduce((a, b) => a + b, 0);
    console.log(
      `| ${stack.name} | ${show(of((r) => r.cpuPer100k))} | ${show(ratios, 3)} | ${show(
        of((r) => r.done / r.seconds),
        0,
      )} | ${show(of((r) => r.p50))} | ${show(
        of((r) => r.p99),
        1,
      )} | ${errors} |`,
    );
  }
}

const dir = mkdtempSync(join(tmpdir(), "drover-bench-"));
const own = await drover(WORKERS);
const answer = await fetchAnswer(own.port);
const answerFile = join(dir, "answer.json");
writeFileSync(answerFile, JSON.stringify({ headers: answer.headers, body: answer.body.toString("base64") }));
const flags = nodeFlags("worker", { memory: bytes(totalmem()), workers: WORKERS, autopsy: false, ownCode: true });
const stacks = [own, await bare("held", WORKERS, answerFile, flags), await bare("cluster", WORKERS, answerFile, flags)];
console.log(`${WORKERS} workers each, ${answer.body.length} bytes of JSON, Node.js ${process.versions.node}`);
console.log(`PSS idle: ${stacks.map((stack) => `${stack.name} ${pssMiB(stack.pid).toFixed(0)} MiB`).join(", ")}`);
try {
  for (const scenario of SCENARIOS) await compare(stacks, scenario);
  console.log(`\nPSS after the load: ${stacks.map((stack) => `${stack.name} ${pssMiB(stack.pid).toFixed(0)} MiB`).join(", ")}`);
} finally {
  for (const stack of stacks) await stack.stop();
  rmSync(dir, { recursive: true, force: true });
}

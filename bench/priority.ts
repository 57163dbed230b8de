/**
 * What DROVER_WORKER_PRIORITY does while workers take all the CPU there is: how soon /metrics is answered, how late the workers' beats are, what
 * is served and at which price. Daemons that differ in it alone take turns, several times: the same noise falls on all.
 *
 *   npm run bench priority        [WORKERS=16] [PRIORITIES=0,5] [ROUNDS=4] [SECONDS=6]
 */
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import http from "node:http";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { drover, type Stack } from "./stacks.ts";
import { cpuSecondsFine } from "./tree.ts";

const WORKERS = Number(process.env["WORKERS"] ?? 16);
const PRIORITIES = (process.env["PRIORITIES"] ?? "0,5").split(",");
const ROUNDS = Number(process.env["ROUNDS"] ?? 4);
const SECONDS = Number(process.env["SECONDS"] ?? 6);

/** One daemon's, of all its rounds: milliseconds, requests a second, microseconds of CPU. */
interface Figures {
  readonly stack: Stack;
  readonly scrapes: number[];
  readonly beats: number[];
  /** Milliseconds in which the master could have run and had no CPU, a second. */
  readonly waits: number[];
  readonly perSecond: number[];
  readonly perRequest: number[];
}

function scrape({ cwd }: Stack): Promise<{ readonly took: number; readonly text: string }> {
  const from = performance.now();
  return new Promise((resolve, reject) => {
    http
      .get({ socketPath: join(cwd, "var/run/control.sock"), path: "/metrics", agent: false }, (res) => {
        let text = "";
        res.setEncoding("utf8");
        res.on("data", (chunk: string) => (text += chunk));
        res.on("end", () => resolve({ took: performance.now() - from, text }));
      })
      .on("error", reject);
  });
}

const values = (text: string, line: RegExp): number[] => [...text.matchAll(line)].map(([, value]) => Number(value));
const served = (text: string): number => values(text, /^http_request_duration_seconds_count (\S+)$/gm)[0] ?? 0;
const beatAges = (text: string): number[] =>
  values(text, /^drover_report_age_seconds\{role="worker",.*\} (\S+)$/gm).map((age) => age * 1_000);

/**
 * Sixty-four clients that wait for nothing but answers. They have a session of their own: where the kernel divides the CPU between sessions they
 * would share the master's part, as no client of a service does.
 */
function clients(port: number): { stop(): Promise<unknown> } {
  const options = JSON.stringify({ port, path: "/api/tables/players", connections: 64, requests: 4_000_000, keepAlive: true });
  const script = `import { load } from ${JSON.stringify(new URL("load.ts", import.meta.url).href)}; await load(${options});`;
  const child = spawn(process.execPath, ["--input-type=module", "-e", script], { stdio: "inherit", detached: true });
  return { stop: () => new Promise((resolve) => child.once("exit", resolve).kill("SIGKILL")) };
}

/** Milliseconds that a process's main thread has waited for a CPU (proc(5), schedstat). */
const waited = (pid: number): number => Number(readFileSync(`/proc/${pid}/schedstat`, "latin1").split(" ")[1]) / 1e6;

async function round({ stack, scrapes, beats, waits, perSecond, perRequest }: Figures): Promise<void> {
  const load = clients(stack.port);
  await sleep(2_000);
  let { text } = await scrape(stack);
  const [from, cpu, before, wait] = [performance.now(), cpuSecondsFine(stack.pid), served(text), waited(stack.pid)];
  while (performance.now() - from < SECONDS * 1_000) {
    await sleep(100);
    const next = await scrape(stack);
    scrapes.push(next.took);
    beats.push(...beatAges(next.text));
    ({ text } = next);
  }
  const requests = served(text) - before;
  const seconds = (performance.now() - from) / 1_000;
  waits.push((waited(stack.pid) - wait) / seconds);
  perSecond.push(requests / seconds);
  perRequest.push(((cpuSecondsFine(stack.pid) - cpu) / requests) * 1e6);
  await load.stop();
}

const quantile = (all: readonly number[], q: number): number =>
  all.toSorted((a, b) => a - b)[Math.min(all.length - 1, Math.floor(q * all.length))] ?? 0;
const row = (cells: readonly (string | number)[]): void => console.log(`| ${cells.join(" | ")} |`);

const all: Figures[] = [];
for (const priority of PRIORITIES)
  all.push({
    stack: await drover(WORKERS, { DROVER_WORKER_PRIORITY: priority, DROVER_AUTOPSY: "off", DROVER_TIMEOUT: "60s" }),
    scrapes: [],
    beats: [],
    waits: [],
    perSecond: [],
    perRequest: [],
  });
await sleep(5_000); // the first rows, the first compilations
for (let i = 0; i < ROUNDS; i += 1) for (const figures of i % 2 === 0 ? all : all.toReversed()) await round(figures);

console.log(`${WORKERS} workers under full load, Node.js ${process.versions.node}, ${ROUNDS} rounds of ${SECONDS} s each, in turn`);
row([
  "priority",
  "/metrics: median ms",
  "p95",
  "slowest",
  "age of the last beat: median ms",
  "p99",
  "master waits for a CPU, ms a second",
  "requests/s",
  "CPU, µs a request",
]);
row(Array.from({ length: 9 }, () => "---"));
for (const [i, { scrapes, beats, waits, perSecond, perRequest, stack }] of all.entries()) {
  const times = [0.5, 0.95, 1].map((q) => quantile(scrapes, q).toFixed(1));
  const ages = [0.5, 0.99].map((q) => quantile(beats, q).toFixed(0));
  row([
    PRIORITIES[i] ?? "",
    ...times,
    ...ages,
    quantile(waits, 0.5).toFixed(1),
    quantile(perSecond, 0.5).toFixed(0),
    quantile(perRequest, 0.5).toFixed(0),
  ]);
  await stack.stop();
}

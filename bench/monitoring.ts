/**
 * What monitoring costs, and how soon /metrics is answered: 16 workers, idle, under load, and with one of them stopped.
 *
 *   npm run bench monitoring        [WORKERS=16] [SECONDS=20] [PRIORITY=10] [OTHER=/path/to/another/built/checkout]
 *
 * Workers have the priority that a service on systemd gives them (ADR 24); PRIORITY=0 is what a daemon in a terminal has.
 *
 * With OTHER both run side by side, and the CPU of their idle processes is compared: the same noise falls on both.
 */
import { readFileSync } from "node:fs";
import http from "node:http";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { load } from "./load.ts";
import { drover, type Stack } from "./stacks.ts";
import { cpuSeconds } from "./tree.ts";

const WORKERS = Number(process.env["WORKERS"] ?? 16);
const SECONDS = Number(process.env["SECONDS"] ?? 20);
const OTHER = process.env["OTHER"];

interface Scrape {
  readonly took: number;
  readonly text: string;
}

function scrape({ cwd }: Stack): Promise<Scrape> {
  const from = performance.now();
  return new Promise((resolve, reject) => {
    const options = { socketPath: join(cwd, "var/run/control.sock"), path: "/metrics", agent: false };
    http
      .get(options, (res) => {
        let text = "";
        res.setEncoding("utf8");
        res.on("data", (chunk: string) => (text += chunk));
        res.on("end", () => resolve({ took: performance.now() - from, text }));
      })
      .on("error", reject);
  });
}

const quantile = (times: readonly number[], q: number): string =>
  (times.toSorted((a, b) => a - b)[Math.min(times.length - 1, Math.floor(q * times.length))] ?? 0).toFixed(1);

async function scrapes(stack: Stack, what: string, n = 100): Promise<void> {
  const times: number[] = [];
  let bytes = 0;
  const before = masterCpu(stack.pid);
  for (let i = 0; i < n; i += 1) {
    const { took, text } = await scrape(stack);
    times.push(took);
    bytes = text.length;
    await sleep(20);
  }
  const cpu = (((masterCpu(stack.pid) - before) / n) * 1_000).toFixed(1); // with whatever else the master did meanwhile
  console.log(`| ${what} | ${cpu} | ${quantile(times, 0.5)} | ${quantile(times, 0.95)} | ${quantile(times, 1)} | ${bytes} |`);
}

/** The pids of the workers: they are named in the command line of the children. */
const workers = (stack: Stack): number[] =>
  readFileSync(`/proc/${stack.pid}/task/${stack.pid}/children`, "utf8")
    .split(" ")
    .filter((pid) => pid !== "" && readFileSync(`/proc/${pid}/cmdline`, "latin1").startsWith("drover: worker "))
    .map(Number);

const env = { DROVER_AUTOPSY: "off", DROVER_TIMEOUT: "60s", DROVER_WORKER_PRIORITY: process.env["PRIORITY"] ?? "10" };
const stacks = [await drover(WORKERS, env), ...(OTHER === undefined ? [] : [await drover(WORKERS, env, join(OTHER, "/"))])];
const [own] = stacks;
if (own === undefined) throw new Error("there is no daemon");
console.log(`${WORKERS} workers, Node.js ${process.versions.node}, ${SECONDS} s idle`);
await sleep(5_000); // the first rows, the first compilations
const before = stacks.map((stack) => [cpuSeconds(stack.pid), masterCpu(stack.pid)] as const);
await sleep(SECONDS * 1_000);
console.log("| idle | all processes, % of a core | of it the master |\n|---|---|---|");
for (const [i, stack] of stacks.entries()) {
  const [all = 0, master = 0] = before[i] ?? [];
  const share = (now: number, then: number): string => (((now - then) / SECONDS) * 100).toFixed(2);
  console.log(`| ${stack.name} | ${share(cpuSeconds(stack.pid), all)} | ${share(masterCpu(stack.pid), master)} |`);
}

console.log("\n| /metrics | master's CPU, ms a scrape | median ms | p95 | slowest | bytes |\n|---|---|---|---|---|---|");
await scrapes(own, "idle");
const busy = load({ port: own.port, path: "/api/tables/players", connections: 64, requests: 60_000, keepAlive: true });
await scrapes(own, "under load", 50);
await busy;
const [one = 0] = workers(own);
process.kill(one, "SIGSTOP");
await sleep(2_000);
await scrapes(own, "one worker stopped");
process.kill(one, "SIGCONT");
for (const stack of stacks) await stack.stop();

/** CPU-seconds of the master alone. */
function masterCpu(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

/**
 * What the model behind `drover plan` takes for granted, measured: CPU of a cached request and of one made anew, latency with hardly any
 * load, a write until it is acknowledged, memory of a worker, of the rest and of a connection; and a ladder of open arrivals, written as a
 * load run, for `drover plan --verify`.
 *
 *   npm run bench constants         [WORKERS=8] [RUN=run.json] [HOLD=10]
 */
import { readFileSync, writeFileSync } from "node:fs";
import http from "node:http";
import net from "node:net";
import { availableParallelism, totalmem } from "node:os";
import type { LoadRun, RunStep } from "../src/tools/plan/run/run.ts";
import { load } from "./load.ts";
import { drover, type Stack } from "./stacks.ts";
import { cpuSeconds, family, pssMiB } from "./tree.ts";

const WORKERS = Number(process.env["WORKERS"] ?? 8);
const SECONDS = Number(process.env["HOLD"] ?? 10);
/** About 10 KB. */
const PATH = "/api/tables/players?limit=115";
const RATES = [10, 100, 1_000, 3_000, 6_000, 9_000];

const quantile = (sorted: readonly number[], q: number): number => sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? 0;
const shown = (times: readonly number[]): string => {
  const sorted = times.toSorted((a, b) => a - b);
  return [0.5, 0.95, 0.99].map((q) => quantile(sorted, q).toFixed(2)).join(" / ");
};
const rssBytes = (root: number): number =>
  family(root).reduce(
    (sum, pid) => sum + Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? 0) * 1_024,
    0,
  );

interface Sent {
  readonly times: readonly number[];
  readonly errors: number;
  readonly seconds: number;
}

/** A generator that is busy for more of the time than this measures itself. */
const BUSIEST = 0.8;

/** Sends at a rate whatever comes back, each counted from when it was due. */
async function arrivals(rate: number, seconds: number, agent: http.Agent, send: (agent: http.Agent) => Promise<void>): Promise<Sent> {
  const times: number[] = [];
  let errors = 0;
  const pending: Promise<void>[] = [];
  const begin = performance.now();
  const due = (n: number): number => begin + (n * 1_000) / rate;
  for (let n = 0; n < rate * seconds;) {
    while (n < rate * seconds && due(n) <= performance.now()) {
      const at = due(n);
      pending.push(
        send(agent).then(
          () => void times.push(performance.now() - at),
          () => void (errors += 1),
        ),
      );
      n += 1;
    }
    await new Promise((resolve) => setTimeout(resolve, Math.max(0, due(n) - performance.now())));
  }
  await Promise.all(pending);
  return { times, errors, seconds: (performance.now() - begin) / 1_000 };
}

function request(port: number, method: string, path: string, body?: string): (agent: http.Agent) => Promise<void> {
  const headers = body === undefined ? {} : { "content-type": "application/json", "content-length": Buffer.byteLength(body) };
  return (agent) =>
    new Promise((resolve, reject) => {
      http
        .request({ host: "127.0.0.1", port, path, method, agent, headers }, (res) => {
          res.resume();
          res.once("end", () => ((res.statusCode ?? 500) < 300 ? resolve() : reject(new Error(`${res.statusCode}`))));
        })
        .on("error", reject)
        .end(body);
    });
}

async function step(stack: Stack, rate: number, agent: http.Agent): Promise<RunStep> {
  const cpu = cpuSeconds(stack.pid);
  const loop = performance.eventLoopUtilization();
  const { times, errors, seconds } = await arrivals(rate, SECONDS, agent, request(stack.port, "GET", PATH));
  const sorted = times.toSorted((a, b) => a - b);
  return {
    label: `${rate}/s`,
    model: "open",
    users: agent.maxSockets,
    thinkMs: 0,
    offeredPerSecond: rate,
    achievedPerSecond: times.length / seconds,
    seconds,
    requests: times.length,
    latencyMs: { p50: quantile(sorted, 0.5), p95: quantile(sorted, 0.95), p99: quantile(sorted, 0.99), max: sorted.at(-1) ?? 0 },
    errors,
    timeouts: 0,
    refused: 0,
    valid: performance.eventLoopUtilization(loop).utilization < BUSIEST,
    cpuSeconds: cpuSeconds(stack.pid) - cpu,
    rssBytes: rssBytes(stack.pid),
  };
}

/** PSS that a thousand keep-alive connections add, each used once, in KiB for one. */
async function connections(stack: Stack): Promise<number> {
  const before = pssMiB(stack.pid);
  const sockets = await Promise.all(
    Array.from({ length: 1_000 }, () => {
      const socket = net.connect(stack.port, "127.0.0.1");
      const answered = Promise.withResolvers<net.Socket>();
      socket.once("error", answered.reject).once("data", () => answered.resolve(socket));
      socket.write("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n");
      return answered.promise;
    }),
  );
  const after = pssMiB(stack.pid);
  for (const socket of sockets) socket.destroy();
  return ((after - before) * 1_024) / sockets.length;
}

async function cpuOf(stack: Stack, run: () => Promise<number>): Promise<number> {
  const before = cpuSeconds(stack.pid);
  const requests = await run();
  return ((cpuSeconds(stack.pid) - before) / requests) * 1_000;
}

const stack = await drover(WORKERS);
const agent = new http.Agent({ keepAlive: true, maxSockets: 64 });
try {
  const cached = async (): Promise<number> =>
    (await load({ port: stack.port, path: PATH, connections: 100, requests: 40_000, keepAlive: true })).done;
  await cached();
  console.log(
    `CPU of a cached request: ${[await cpuOf(stack, cached), await cpuOf(stack, cached), await cpuOf(stack, cached)].map((ms) => ms.toFixed(4)).join(", ")} ms`,
  );
  let nr = 0;
  const fresh = async (): Promise<number> => {
    const sent = await arrivals(200, 5, agent, (a) => request(stack.port, "GET", `${PATH}&filter[score][gt]=-${(nr += 1)}`)(a));
    return sent.times.length;
  };
  await fresh();
  console.log(
    `CPU of an answer made anew: ${[await cpuOf(stack, fresh), await cpuOf(stack, fresh)].map((ms) => ms.toFixed(3)).join(", ")} ms`,
  );
  console.log(`a connection: ${(await connections(stack)).toFixed(1)} KiB`);
  const body = (n: number): string => JSON.stringify({ player: `p${n}`, kind: "move" });
  const writes = await arrivals(20, SECONDS, agent, (a) => request(stack.port, "POST", "/api/tables/actions", body((nr += 1)))(a));
  console.log(`a write until it is acknowledged, p50 / p95 / p99: ${shown(writes.times)} ms, ${writes.errors} errors`);
  const steps: RunStep[] = [];
  for (const rate of RATES) {
    const measured = await step(stack, rate, agent);
    steps.push(measured);
    const { latencyMs } = measured;
    const times = latencyMs === undefined ? "–" : [latencyMs.p50, latencyMs.p95, latencyMs.p99].map((time) => time.toFixed(2)).join(" / ");
    console.log(
      `${measured.label}: ${measured.achievedPerSecond.toFixed(1)}/s, ${times} ms, ${measured.errors} errors${measured.valid ? "" : ", the generator was busy"}`,
    );
  }
  const all = family(stack.pid).map((pid) =>
    Math.round(Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]) / 1_024),
  );
  console.log(`RSS of each process: ${all.join(", ")} MiB; PSS of all ${pssMiB(stack.pid).toFixed(0)} MiB`);
  const run: LoadRun = {
    format: "drover-load-run",
    version: 1,
    startedAt: new Date().toISOString(),
    tool: "bench/constants.ts",
    target: `http://127.0.0.1:${stack.port}${PATH}`,
    server: {
      cpus: availableParallelism(),
      memoryBytes: totalmem(),
      workers: WORKERS,
      workerConnections: 1_000,
      cacheTtlMs: 30_000,
      tables: 6,
      readsPerMinute: 60,
    },
    steps,
  };
  if (process.env["RUN"] !== undefined) writeFileSync(process.env["RUN"], `${JSON.stringify(run, null, 2)}\n`);
} finally {
  agent.destroy();
  await stack.stop();
}

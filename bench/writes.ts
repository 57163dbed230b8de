/**
 * What a write costs where the table is large: each write is shown to every worker before it is answered. A daemon on an emulator
 * without latency and quota; one client after another, and 32 at once.
 *
 *   npm run bench writes            [ROWS=500,10000,50000] [SECONDS=10] [WORKERS=8]
 */
import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import http from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const SIZES = (process.env["ROWS"] ?? "500,10000,50000").split(",").map(Number);
const SECONDS = Number(process.env["SECONDS"] ?? 10);
const WORKERS = process.env["WORKERS"] ?? "8";
const DROVER = fileURLToPath(new URL("../bin/drover", import.meta.url));

interface Running {
  readonly pid: number;
  readonly said: string;
  stop(): Promise<void>;
}

/** @returns once it has printed what matches. */
async function run(args: readonly string[], cwd: string, env: NodeJS.ProcessEnv, ready: RegExp): Promise<Running> {
  const child = spawn(DROVER, args, { cwd, env: { PATH: process.env["PATH"], ...env }, stdio: ["ignore", "pipe", "inherit"] });
  const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  let said = "";
  for await (const piece of child.stdout as AsyncIterable<Buffer>) {
    said += piece.toString();
    if (ready.test(said)) break;
  }
  const stop = async (): Promise<void> => {
    child.kill("SIGTERM");
    await ended;
  };
  return { pid: child.pid ?? 0, said, stop };
}

/** CPU seconds by role of the daemon's children (proc(5), stat: utime, stime). */
function cpuByRole(socket: string): Promise<Readonly<Record<string, number>>> {
  return new Promise((resolve, reject) => {
    http
      .get({ socketPath: socket, path: "/status" }, (res) => {
        let text = "";
        res.on("data", (chunk: Buffer) => (text += chunk.toString()));
        res.on("end", () => {
          const { places } = JSON.parse(text) as { places: { role: string; child: { pid: number } | null }[] };
          const spent: Record<string, number> = {};
          for (const { role, child } of places) spent[role] = (spent[role] ?? 0) + (child === null ? 0 : cpuOf(child.pid));
          resolve(spent);
        });
      })
      .on("error", reject);
  });
}

function cpuOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

const agent = new http.Agent({ keepAlive: true, maxSockets: 64 });
function ask(method: string, url: string, body?: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const headers = body === undefined ? {} : { "content-type": "application/json" };
    const req = http.request(url, { method, agent, headers }, (res) => {
      res.resume();
      res.on("end", () => resolve(res.statusCode ?? 0));
    });
    req.on("error", reject);
    req.end(body);
  });
}

const quantile = (times: number[], q: number): string => (times.sort((a, b) => a - b)[Math.floor(times.length * q)] ?? NaN).toFixed(0);

async function measure(url: string, socket: string, clients: number): Promise<string> {
  const [writes, reads]: [number[], number[]] = [[], []];
  const before = await cpuByRole(socket);
  const until = performance.now() + SECONDS * 1_000;
  const timed = async (times: number[], wanted: number, ...call: Parameters<typeof ask>): Promise<void> => {
    const from = performance.now();
    const status = await ask(...call);
    if (status !== wanted) throw new Error(`${call.join(" ")}: ${status}`);
    times.push(performance.now() - from);
  };
  const writer = async (): Promise<void> => {
    while (performance.now() < until) await timed(writes, 201, "POST", `${url}/api/tables/big`, '{"name":"Ada Lovelace","score":12}');
  };
  const reader = async (): Promise<void> => {
    while (performance.now() < until) {
      await timed(reads, 200, "GET", `${url}/api/tables/big?limit=10`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  };
  await Promise.all([reader(), ...Array.from({ length: clients }, writer)]);
  const after = await cpuByRole(socket);
  const per = (role: string): string => (((after[role] ?? 0) - (before[role] ?? 0)) / writes.length / 1e-3).toFixed(1);
  const rate = Math.round(writes.length / SECONDS);
  return `| ${clients} | ${rate} | ${quantile(writes, 0.5)} | ${quantile(writes, 0.99)} | ${per("broker")} | ${per("worker")} | ${quantile(reads, 0.5)} | ${quantile(reads, 0.99)} |`;
}

async function table(rows: number): Promise<void> {
  const dir = mkdtempSync(join(tmpdir(), "drover-bench-"));
  mkdirSync(join(dir, "csv"));
  const lines = Array.from({ length: rows }, (_, i) => `p${i},Haruka Hayashi ${i},Lynx Croix-Rousse,alive,${i % 300}`);
  writeFileSync(join(dir, "csv/big.csv"), ["id,name,team,status,score", ...lines, ""].join("\n"));
  const big = { key: "id", ttl: "10m", read: "public", append: "public", update: "public" };
  writeFileSync(join(dir, "tables.json"), JSON.stringify({ tables: { big } }));
  const quiet = ["--emulator-latency", "none", "--emulator-quota", "off"];
  const emulator = await run(
    ["emulator", "--port", "0", "--dir", join(dir, "emulator"), "--csv", join(dir, "csv"), ...quiet],
    dir,
    {},
    /serve\n$/,
  );
  const base = /http:\/\/127\.0\.0\.1:\d+/.exec(emulator.said)?.[0];
  const env = {
    DROVER_WORKERS: WORKERS,
    DROVER_RATE_LIMIT: "off",
    DROVER_TABLES: join(dir, "tables.json"),
    DROVER_SHEETS_ENDPOINT: `${base}/`,
    DROVER_OAUTH_ENDPOINT: `${base}/`,
    DROVER_SPREADSHEET_ID: /spreadsheet +(\S+)/.exec(emulator.said)?.[1],
    GOOGLE_APPLICATION_CREDENTIALS: join(dir, "emulator/key.json"),
  };
  const daemon = await run(["serve", "--bind", "127.0.0.1:0"], dir, env, /drover is ready.*\n/);
  const url = /"(http:\/\/127\.0\.0\.1:\d+)/.exec(daemon.said)?.[1] ?? "";
  try {
    while ((await ask("GET", `${url}/api/tables/big?limit=1`)) !== 200) await new Promise((resolve) => setTimeout(resolve, 100));
    for (const clients of [1, 32]) console.log(`| ${rows} ${await measure(url, join(dir, "var/run/control.sock"), clients)}`);
  } finally {
    await daemon.stop();
    await emulator.stop();
    rmSync(dir, { recursive: true, force: true });
  }
}

console.log(
  `${WORKERS} workers, ${SECONDS} s each, Node.js ${process.versions.node}; CPU in ms a write, all workers together; reads of 10 rows, one every 20 ms`,
);
console.log(
  "| rows | clients | writes/s | p50 ms | p99 ms | broker CPU | workers' CPU | read p50 ms | read p99 ms |\n|---|---|---|---|---|---|---|---|---|",
);
for (const rows of SIZES) await table(rows);
agent.destroy();

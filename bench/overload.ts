/**
 * What is left of a service that is asked for five times what it can do: its peak, and then five times as much for 20 s, by a generator
 * that does not slow down with its target. Reads that need work alone, and 60/30/10 reads, writes and exports.
 *
 *   npm run bench overload          [WORKERS=8] [SECONDS=20] [TIMES=5]
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { offer, type Kind, type Offered } from "./offer.ts";
import { cpuSeconds } from "./tree.ts";

const WORKERS = process.env["WORKERS"] ?? "8";
const SECONDS = Number(process.env["SECONDS"] ?? 20);
const TIMES = Number(process.env["TIMES"] ?? 5);
const DROVER = fileURLToPath(new URL("../bin/drover", import.meta.url));
const TABLES = fileURLToPath(new URL("../config/tables.json", import.meta.url));

/** The sample's daemon, without limits of rates: it is to be the machine that gives way. */
async function start(dir: string): Promise<{ readonly pid: number; readonly port: number; stop(): Promise<void> }> {
  const env = {
    PATH: process.env["PATH"],
    DROVER_DEMO: "on",
    DROVER_WORKERS: WORKERS,
    DROVER_TABLES: TABLES,
    DROVER_RATE_LIMIT: "off",
    DROVER_READ_RATE: "off",
    DROVER_EXPORT_RATE: "off",
  };
  const child = spawn(DROVER, ["serve", "--bind", "127.0.0.1:0"], { cwd: dir, env, stdio: ["ignore", "pipe", "inherit"] });
  let said = "";
  for await (const piece of child.stdout as AsyncIterable<Buffer>) if (/drover is ready.*\n/.test((said += piece.toString()))) break;
  const stop = async (): Promise<void> => {
    child.kill("SIGTERM");
    await once(child, "exit");
  };
  return { pid: child.pid ?? 0, port: Number(/"http:\/\/127\.0\.0\.1:(\d+)/.exec(said)?.[1]), stop };
}

const MIXES: Readonly<Record<string, Readonly<Record<Kind, number>>>> = {
  "reads that need work": { read: 1, write: 0, export: 0 },
  "60/30/10": { read: 0.6, write: 0.3, export: 0.1 },
};

interface Probed {
  readonly ok: number[];
  readonly shed: number[];
  readonly failed: number;
}

/** What exports take meanwhile, which are turned away first, seen from a process that has nothing else to do. */
function probe(port: number): Promise<Probed> {
  const path = "/api/tables/players/export?format=csv&filter[score][gt]=NR";
  const child = spawn(process.execPath, [fileURLToPath(new URL("./probe.ts", import.meta.url)), String(port), path, String(SECONDS - 4)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let said = "";
  child.stdout.on("data", (chunk: Buffer) => (said += chunk.toString()));
  return new Promise((resolve) => child.once("close", () => resolve(JSON.parse(said) as Probed)));
}

const quantile = (times: number[], q: number): string => (times.toSorted((a, b) => a - b)[Math.floor(times.length * q)] ?? NaN).toFixed(0);

const good = ({ kinds }: Offered): number => Object.values(kinds).reduce((sum, { ok }) => sum + ok, 0);

/** CPU seconds that the daemon's processes take meanwhile: the generator shares the machine, and takes more of it the more it offers. */
async function costing<T>(pid: number, work: () => Promise<T>): Promise<T & { readonly cpu: number }> {
  const before = cpuSeconds(pid);
  const done = await work();
  return { ...done, cpu: cpuSeconds(pid) - before };
}

const row = (name: string, offered: Offered): string => {
  const { seconds, kinds } = offered;
  const parts = Object.entries(kinds)
    .filter(([, { sent }]) => sent > 0)
    .map(
      ([kind, k]) =>
        `${kind} ${k.ok} ok p95 ${k.okP95.toFixed(0)} ms, ${k.shed} shed p50 ${k.shedP50.toFixed(0)} p95 ${k.shedP95.toFixed(0)} ms, ${k.failed} failed`,
    );
  return `${name}: ${(good(offered) / seconds).toFixed(0)}/s good; ${parts.join("; ")}`;
};

for (const [name, mix] of Object.entries(MIXES)) {
  const dir = mkdtempSync(join(tmpdir(), "drover-bench-"));
  const { pid, port, stop } = await start(dir);
  try {
    await offer({ port, mix, connections: 32, seconds: 5 });
    const peak = await costing(pid, () => offer({ port, mix, connections: 32, seconds: 10 }));
    const best = good(peak) / peak.seconds;
    console.log(row(`${name}, 32 clients`, peak));
    const probing = new Promise<Probed>((resolve) => setTimeout(() => void probe(port).then(resolve), 3_000)); // once it has noticed
    const over = await costing(pid, () => offer({ port, mix, connections: 4_000, seconds: SECONDS, rate: best * TIMES }));
    console.log(
      row(`${name}, ${TIMES} × as much (${over.offered.toFixed(0)}/s offered, ${over.unsent} not sent: all connections busy)`, over),
    );
    const { ok, shed, failed } = await probing;
    console.log(
      `beside it, exports of a client at rest: ${shed.length} turned away after p50 ${quantile(shed, 0.5)} p95 ${quantile(shed, 0.95)} ms, ${ok.length} made after p50 ${quantile(ok, 0.5)} ms, ${failed} failed`,
    );
    const cores = ({ cpu, seconds }: { cpu: number; seconds: number }): string => (cpu / seconds).toFixed(2);
    const [perSecond, perCpu] = [good(over) / over.seconds / best, good(over) / over.cpu / (good(peak) / peak.cpu)];
    console.log(
      `goodput ${(100 * perSecond).toFixed(0)} % of the peak; ${(100 * perCpu).toFixed(0)} % a CPU second (the daemon had ${cores(peak)} cores at the peak, ${cores(over)} then)`,
    );
    const after = await offer({ port, mix, connections: 32, seconds: 10 });
    console.log(row(`${name}, 32 clients again`, after));
  } finally {
    await stop();
    rmSync(dir, { recursive: true, force: true });
  }
}

/**
 * How long the broker's event loop stands still for what it writes synchronously (the ledger, the feed, the counts of calls): on the disk
 * as it is, and on one whose fsync, fdatasync and rename take SLOW ms longer, by strace(1) `--inject`.
 *
 *   npm run bench slow-disk         [SLOW=20] [TIMES=200] [DIR=a folder on the disk to be measured]
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { makeLogger } from "../src/base/log.ts";
import type { Timestamp } from "../src/base/units.ts";
import { openHistory } from "../src/broker/feed/history.ts";
import { openKept } from "../src/broker/ledger/kept.ts";
import { openStore } from "../src/broker/store.ts";
import type { FeedEvent } from "../src/sheets/events.ts";

const SLOW = Number(process.env["SLOW"] ?? 20);
const TIMES = Number(process.env["TIMES"] ?? 200);
const WORK = "DROVER_BENCH_SLOW_DISK";

interface Figures {
  readonly median: number;
  readonly max: number;
}

function timed(times: number, work: (nr: number) => void): Figures {
  const taken = Array.from({ length: times }, (_, nr) => {
    const from = performance.now();
    work(nr);
    return performance.now() - from;
  }).toSorted((a, b) => a - b);
  return { median: taken[Math.floor(times / 2)] ?? Number.NaN, max: taken.at(-1) ?? Number.NaN };
}

function measure(): Record<string, Figures> {
  const dir = mkdtempSync(join(process.env["DIR"] ?? tmpdir(), "drover-bench-"));
  const log = makeLogger({ role: "cli" }, "warn", process.stderr);
  try {
    const ledger = openKept(dir, log);
    const session = (nr: number): string => String(nr).padStart(32, "0");
    const opening = openHistory(dir, { epoch: 1, seq: 0 });
    if (opening.is !== "open") throw new Error(`the feed did not open: ${opening.is}`);
    const { history } = opening;
    let seq = 0;
    const keep = (base?: Uint8Array): void => {
      seq += 1;
      const event: FeedEvent = { epoch: 1, seq, table: "t", definition: "d", version: seq, what: { kind: "row.deleted", key: `p${seq}` } };
      const told = { definition: "d", hash: "h", checkedAt: seq as Timestamp };
      history.keep({ ends: { floor: { epoch: 1, seq: 0 }, head: { epoch: 1, seq } }, events: [event], table: "t", told, base });
    };
    const store = openStore(dir, Date.now() as Timestamp, log);
    const spent = Array.from({ length: 300 }, (_, i) => (Date.now() - i) as Timestamp);
    const figures = {
      "quota.json before a call, 300 calls in it": timed(TIMES, () => store.keepQuota({ spent, lockedUntil: 0 as Timestamp })),
      "a login's lease": timed(TIMES, (nr) => ledger.write([{ kind: "lease", key: session(nr), value: { until: nr } }])),
      "a logout (revocation, synced)": timed(TIMES, (nr) => ledger.write([{ kind: "ended", key: session(nr), value: { until: nr } }])),
      "a change of a row in the feed": timed(TIMES * 10, () => keep()),
      "the feed's base of 1 MiB": timed(10, () => keep(Buffer.alloc(1_048_576, 1))),
      "the feed's base of 16 MiB": timed(5, () => keep(Buffer.alloc(16_777_216, 1))),
    };
    history.close();
    ledger.close();
    return figures;
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

/** @param calls system calls that take SLOW ms longer; none: nothing is traced. */
function measuredWith(calls: string): Record<string, Figures> {
  const command = [process.execPath, import.meta.filename];
  const strace = [
    "strace",
    "-f",
    "-qq",
    "--seccomp-bpf",
    "-o",
    "/dev/null",
    "-e",
    `trace=${calls}`,
    "-e",
    `inject=${calls}:delay_exit=${SLOW * 1_000}`,
  ];
  const [program = "", ...args] = calls === "" ? command : [...strace, ...command];
  const { stdout, stderr, status, error } = spawnSync(program, args, { encoding: "utf8", env: { ...process.env, [WORK]: "1" } });
  if (error !== undefined) throw new Error(`${program} can't be run (apt-get install strace): ${error.message}`);
  if (status !== 0) throw new Error(`it ended with ${status}: ${stderr}`);
  return JSON.parse(stdout) as Record<string, Figures>;
}

if (process.env[WORK] !== undefined) console.log(JSON.stringify(measure()));
else {
  const runs = ["", "fsync,fdatasync", "fsync,fdatasync,rename"].map(measuredWith);
  const cell = ({ median, max }: Figures = { median: NaN, max: NaN }): string => `${median.toFixed(2)} / ${max.toFixed(1)}`;
  console.log(`ms that the loop stands still, median / longest; ${TIMES} times, Node.js ${process.versions.node}\n`);
  console.log(`| | as it is | fsync + ${SLOW} ms | and rename + ${SLOW} ms |\n|---|---|---|---|`);
  for (const name of Object.keys(runs[0] ?? {})) console.log(`| ${name} | ${runs.map((run) => cell(run[name])).join(" | ")} |`);
}

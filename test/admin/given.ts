/** Figures for tests of what is made of them. */
import type { Measured } from "../../src/base/measured.ts";
import type { UpstreamReport } from "../../src/base/upstreamreport.ts";
import { mebibytes, ms, type Timestamp } from "../../src/base/units.ts";
import type { NodeFigures } from "../../src/base/figures.ts";
import { NOW } from "../cli/statuses.ts";

export const node: NodeFigures = {
  heapTotal: 30_000_000,
  heapUsed: 20_000_000,
  external: 4_000_000,
  spaces: [{ name: "new", size: 1_048_576, used: 500_000, available: 548_576 }],
  lag: { min: 0, max: 12, mean: 0.4, stddev: 0.9, p50: 0.3, p90: 1.1, p99: 12 },
  resources: { TCPSocketWrap: 12, Timeout: 3 },
};

const place = (role: "master" | "worker" | "broker", slot: number) =>
  ({
    role,
    slot,
    startedAt: (NOW - 60_000) as Timestamp,
    cpuUser: 12.5,
    cpuSystem: 1.25,
    rss: 93_323_264,
    virtual: 1_200_000_000,
    data: 100_000_000,
    files: 42,
    node,
  }) as const;

export const measured = (changes: Partial<Measured> = {}): Measured => ({
  counts: { "shed.full": 3, "calls.read.ok": 40, "calls.read.locked": 1, "calls.write.norange": 1 },
  latency: [
    [100, 50],
    [200, 45],
    [300, 5],
  ],
  spans: { queue: [[0, 80]], call: [[250, 41]], sheet: [[330, 9]] },
  pauses: [{ role: "worker", kind: "minor", times: [[160, 7]] }],
  processes: [place("master", 0), place("broker", 0), place("worker", 0), place("worker", 1)],
  mostFiles: 1_048_576,
  disks: [{ directory: "data", size: 100_000_000_000, free: 60_000_000_000 }],
  minuteP95: ms(20),
  journalSize: mebibytes(64),
  ...changes,
});

export const upstream = (changes: Partial<UpstreamReport> = {}): UpstreamReport => ({
  state: "ok",
  message: "",
  quota: { used: 4, limit: 51, lockedUntil: 0 as Timestamp },
  tables: [{ name: "players", rows: 500, version: 7, checkedAt: (NOW - 5_000) as Timestamp, warnings: 0, ttl: ms(5_000) }],
  writes: {
    delivery: "exactly-once",
    waiting: 2,
    waitingBytes: 300,
    oldest: ms(1_500),
    landed: 9,
    parked: 0,
    quota: { used: 1, limit: 51, lockedUntil: 0 as Timestamp },
    timeToSheet: { p50: ms(900), p99: ms(2_000) },
  },
  ...changes,
});

/** Snapshots for tests of what is made of them. */
import type { Status } from "../../src/cli/snapshot.ts";
import { noCounters } from "../../src/base/counters.ts";
import type { ChildView, PlaceView } from "../../src/master/snapshot.ts";
import { ms, type Timestamp } from "../../src/base/units.ts";

export const NOW = 1_700_000_000_000 as Timestamp;

export const child = (changes: Partial<ChildView> = {}): ChildView => ({
  pid: 4_000,
  state: "ready",
  generation: 1,
  why: null,
  uptime: ms(125_000),
  beatAge: ms(400),
  beatTimeout: ms(30_000),
  inFlight: 3,
  connections: 12,
  full: false,
  served: 100,
  elu: 0.42,
  delay: ms(1),
  delayP99: ms(12.4),
  heap: 20_000_000,
  rss: 93_323_264,
  cpu: 0.37,
  ...changes,
});

export const place = (slot: number, changes: Partial<PlaceView> = {}): PlaceView => ({
  id: `${changes.role ?? "worker"}/${slot}`,
  role: "worker",
  slot,
  state: "ready",
  generation: 1,
  closing: false,
  crashes: 0,
  restarts: 0,
  retryIn: null,
  lastDeath: null,
  child: child({ pid: 4_000 + slot }),
  successor: null,
  leaving: [],
  ...changes,
});

export const statusWith = (changes: Partial<Status> = {}): Status => ({
  at: NOW,
  version: "0.1.0",
  cacheTtl: ms(30_000),
  hooks: { file: null, generation: null, problem: null, called: 0, failed: 0, dropped: 0, waiting: 0 },
  pid: 77,
  state: "running",
  uptime: ms(7_500_000),
  demo: false,
  addresses: [{ name: "127.0.0.1:8080", kind: "tcp" }],
  generation: 3,
  workers: { target: 2, ready: 2 },
  roll: null,
  lastRoll: null,
  places: [place(0), place(1), place(0, { role: "broker", child: child({ pid: 3_999 }) })],
  counters: { ...noCounters(), served: 1_234, hits: 90, misses: 10 },
  deaths: {},
  latency: { p50: 2.2, p95: 20, p99: 557 },
  recent: { perSecond: 12.3, p50: 1.5, p95: 9 },
  machine: { cpu: 0.43, ram: 0.19, ramUsed: 1, ramTotal: 5 },
  memoryShort: false,
  limitedBy: [],
  upstream: {
    state: "ok",
    message: "",
    quota: { used: 4, limit: 51, lockedUntil: 0 as Timestamp },
    tables: [{ name: "players", rows: 500, version: 7, checkedAt: NOW, warnings: 0 }],
  },
  slots: null,
  tokensUsed: null,
  health: { status: "ok", generation: 3, workers: { ready: 2, target: 2 }, broker: "ready", upstream: "ok", demo: false },
  data: "the Google spreadsheet abc",
  urls: ["http://127.0.0.1:8080"],
  log: "/var/log/drover/drover.log",
  refusedReload: null,
  refusedRequests: 0,
  alerts: [],
  advice: { limit: "cpu", share: 0.48, reason: "the CPU is at 43 % with 2 workers on 4 cores", step: "nothing to do" },
  fullIn: null,
  schedule: null,
  usage: { timeAbove80pct: { "1d": ms(0), "7d": ms(0) }, days: [], regular: null },
  ...changes,
});

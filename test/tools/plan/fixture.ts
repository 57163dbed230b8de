/** A plan's input and a load run, each with what a test says otherwise. */
import { COSTS, GOOGLE, ROWS_PER_CALL } from "../../../src/tools/plan/model/constants.ts";
import { DROVER, type PlanInput } from "../../../src/tools/plan/model/types.ts";
import type { AnsweredStep, LoadRun, RunStep } from "../../../src/tools/plan/run/run.ts";
import { gibibytes } from "../../../src/tools/plan/print/units.ts";

const GIVEN = {
  users: 100,
  rate: 0.1,
  burst: 1,
  writes: 0,
  cpus: 4,
  ram: gibibytes(8),
  workers: 4,
  ttl: 30,
  tables: 6,
  quota: 60,
};

export type Given = typeof GIVEN;

export function input(given: Partial<Given> = {}): PlanInput {
  const g = { ...GIVEN, ...given };
  return {
    demand: {
      users: g.users,
      rate: g.rate,
      burst: g.burst,
      writes: g.writes,
      bytes: 10_240,
      signedIn: 1,
    },
    place: {
      cpus: g.cpus,
      memory: g.ram,
      workers: g.workers,
      connections: 1_000,
    },
    upstream: {
      tables: g.tables,
      ttl: g.ttl,
      reads: g.quota,
      writes: 60,
      ...GOOGLE,
      rowsPerCall: ROWS_PER_CALL,
    },
    costs: COSTS,
    system: DROVER,
  };
}

/** Of users who think for 10 s, but for the time of an answer. */
export const step = (users: number, more: Partial<AnsweredStep> = {}): AnsweredStep => ({
  label: `${users} users`,
  model: "closed",
  users,
  thinkMs: 9_998,
  offeredPerSecond: users / 10,
  achievedPerSecond: users / 10,
  seconds: 100,
  requests: users * 10,
  latencyMs: { p50: 2, p95: 4, p99: 8, max: 20 },
  errors: 0,
  timeouts: 0,
  refused: 0,
  valid: true,
  ...more,
});
export const run = (
  steps: readonly RunStep[] = [5, 10, 25, 50, 100, 200].map((n) => step(n)),
): LoadRun => ({
  format: "drover-load-run",
  version: 1,
  startedAt: "2026-11-21T15:00:00Z",
  tool: "test",
  target: "http://127.0.0.1:8080",
  server: {
    cpus: 2,
    memoryBytes: 4e9,
    workers: 2,
    workerConnections: 1_000,
    cacheTtlMs: 30_000,
    tables: 3,
    readsPerMinute: 60,
  },
  steps,
});

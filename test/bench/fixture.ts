/** Results that nobody measured: round numbers, so that a figure on a page can be found again. */
import type { Round } from "../../bench/versus/measure.ts";
import type { Question, Results } from "../../bench/versus/results.ts";
import type { StackName } from "../../bench/versus/stack.ts";
import type { RunStep } from "../../src/tools/plan/run/run.ts";

const STACKS: readonly StackName[] = ["drover", "held", "fastify", "pm2", "puma", "gunicorn", "nginx"];

/** Three rounds around a rate. */
export const rounds = (rps: number, changes: Partial<Round> = {}): Round[] =>
  [0.9, 1, 1.1].map((mood) => ({
    requests: Math.round(rps * 3),
    rps: rps * mood,
    p50: 2,
    p99: 20,
    max: 50,
    errors: 0,
    cpu: 100_000 / rps,
    generatorCpu: 1,
    others: 0.05,
    ...changes,
  }));

const everyone = (factor: number): Partial<Record<StackName, readonly Round[]>> =>
  Object.fromEntries(STACKS.map((stack, i) => [stack, rounds((40_000 / (i + 1)) * factor)]));

const step = (users: number, changes: Partial<RunStep> = {}): RunStep => ({
  label: `${users} users`,
  model: "closed",
  users,
  thinkMs: 1_000,
  offeredPerSecond: users,
  achievedPerSecond: users,
  seconds: 6,
  requests: users * 6,
  latencyMs: { p50: 2, p95: 12, p99: 30, max: 60 },
  errors: 0,
  timeouts: 0,
  refused: 0,
  valid: true,
  cpuSeconds: 0.1,
  upstreamCalls: 1,
  ...changes,
});

const question = (system: string, stack: StackName, steps: readonly RunStep[]): Question => ({
  system,
  stack,
  workers: 16,
  ttlSeconds: 30,
  upstreamMs: 1_000,
  thinkMs: 1_000,
  upstreamCalls: 4,
  steps,
  verdict: "PASS",
});

export function fixture(changes: Partial<Results> = {}): Results {
  const probes = { asked: 600, answered: 600, late: 0, failed: 0, hanging: 0, max: 40 };
  const few = { requests: 10_000, errors: 0, max: 90 };
  return {
    format: "drover-bench",
    version: 1,
    mode: "full",
    command: "npm run bench",
    day: "2026-01-01",
    minutes: 20,
    machine: { cpus: 2, cpu: "A CPU", memoryGiB: 8, system: "A Linux", kernel: "6.1" },
    versions: { drover: "0.0.0", node: "26.0.0", wrk: "wrk 4.1.0" },
    skipped: [{ what: "haproxy", install: "apt-get install haproxy" }],
    mood: [{ part: "throughput", calibrationMs: 6, others: 0.02 }],
    repeated: 1,
    failed: [],
    workers: 8,
    answerBytes: 11_087,
    size: { supervisorLines: 1_234, sourceLines: 5_678, sourceFiles: 90, runtimeDependencies: 12, settings: 45 },
    throughput: [
      { key: "keep-alive 100", connections: 100, keepAlive: true, rounds: everyone(1) },
      { key: "ab 100", connections: 100, keepAlive: false, rounds: everyone(0.3) },
      { key: "keep-alive 2000", connections: 2_000, keepAlive: true, rounds: everyone(0.8) },
      { key: "keep-alive 5000", connections: 5_000, keepAlive: true, rounds: everyone(0.7) },
    ],
    workersBesideCpus: [2, 8].map((workers) => ({
      workers,
      idle: 40 * workers,
      loaded: 50 * workers,
      keepAlive: rounds(50_000),
      fresh: rounds(9_000),
    })),
    footprint: (["drover", "fastify", "gunicorn"] as const).map((stack, i) => ({
      stack,
      workers: 8,
      startSeconds: [1 + i / 10, 1.2 + i / 10],
      startCpuSeconds: [2, 2.1],
      idle: 200 + i,
      loaded: 300 + i,
    })),
    reload: [{ stack: "drover", reloads: 2, reloadSeconds: 6, keepAlive: few, fresh: few }],
    stuck: [{ stack: "drover-app", timeoutSeconds: 5, watchedSeconds: 12, replacedAfter: 5.2, fresh: probes, kept: probes }],
    upstream: [{ stack: "drover", ttlSeconds: 30, seconds: 60, calls: 2, reads: 7_000, failed: 0 }],
    expiry: [{ stack: "drover", ttlSeconds: 5, upstreamMs: 1_000, expiring: rounds(30_000), hot: rounds(30_000) }],
    herd: [
      { stack: "drover", clients: 5_000, upstreamMs: 1_000, answered: 5_000, failed: 0, calls: 1, p50: 900, p99: 1_500, seconds: 1.6 },
    ],
    held: {
      workers: 16,
      perWorker: 1_000,
      wanted: 16_000,
      opened: 16_000,
      addresses: 4,
      openSeconds: 9,
      alive: 16_000,
      requests: 6_000,
      errors: 0,
      p50: 3,
      p99: 21,
      max: 80,
      pss: 900,
      pssBefore: 700,
      cpus: 0.2,
    },
    sources: {
      ab: [{ connections: 10, round: rounds(4_000)[0] as Round }],
      questions: [
        question("before: 9 sync workers", "gunicorn-sync", [step(10), step(500, { errors: 7 })]),
        question("drover: 16 workers", "drover", [step(10), step(500)]),
      ],
      ladder: question("drover", "drover", [step(5), step(200)]),
      campaign: { ...question("drover", "drover", [step(300)]), compressed: "10, 30 and 5 minutes in 18, 24 and 12 seconds" },
    },
    ...changes,
  };
}

/** A load run in place of the model's own figures. */
import type { PlanInput } from "../model/types.ts";
import { leastSquares } from "../model/least-squares.ts";
import { usable, type AnsweredStep, type LoadRun, type RunStep } from "./run.ts";

/** The lower one of an even number. */
export const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor((values.length - 1) / 2)] ?? Number.NaN;

export interface RequestCpu {
  /** ms of a read; of a request, where the run has writes that can't be told apart. */
  readonly cost: number;
  /** ms of a write, where it can be told. */
  readonly write?: number;
  /** CPUs that the server burns by doing nothing. */
  readonly idle: number;
}

interface Row {
  readonly seconds: number;
  readonly requests: number;
  readonly reads: number;
  readonly writes: number;
  readonly cpu: number;
}

/** The cosine between the steps' reads and their writes is 1 where all steps have one mix. Above this nothing tells what each of them costs. */
const ALIKE = 0.95;

function toldApart(rows: readonly Row[]): boolean {
  const sum = (of: (row: Row) => number): number => rows.reduce((total, row) => total + of(row), 0);
  const writes = Math.sqrt(sum((row) => row.writes ** 2));
  const reads = Math.sqrt(sum((row) => row.reads ** 2));
  return writes > 0 && sum((row) => row.reads * row.writes) < ALIKE * reads * writes;
}

/** CPU-seconds for each unit of these columns; undefined when they can't be told apart, or one would be less than nothing. */
function fitted<const N extends Exclude<keyof Row, "cpu">>(
  rows: readonly Row[],
  names: readonly N[],
): Record<N, number> | undefined {
  const solved = leastSquares(
    rows.map((row) => names.map((name) => row[name])),
    rows.map(({ cpu }) => cpu),
  );
  if (solved === undefined || solved.some((value) => value < 0)) return undefined;
  return Object.fromEntries(names.map((name, i) => [name, solved[i] ?? 0])) as Record<N, number>;
}

/** Reads and writes apart; undefined: the steps don't tell. */
function apartOf(rows: readonly Row[]): RequestCpu | undefined {
  if (!toldApart(rows)) return undefined;
  const whole = fitted(rows, ["seconds", "reads", "writes"]);
  const { reads, writes } = whole ?? fitted(rows, ["reads", "writes"]) ?? { reads: 0, writes: 0 };
  return reads > 0
    ? { cost: reads * 1_000, write: writes * 1_000, idle: whole?.seconds ?? 0 }
    : undefined;
}

/**
 * CPU of reads and writes, and what the server burns by doing nothing: least squares of CPU = idle · seconds + cost · requests over the steps, none
 * of them below 0. The idle part matters: on a light step it is most of what was used. @returns undefined when nothing was measured.
 */
export function cpuOfRequest(steps: readonly RunStep[]): RequestCpu | undefined {
  const rows = steps.flatMap(({ seconds, requests, writes = 0, cpuSeconds }): Row[] =>
    cpuSeconds === undefined
      ? []
      : [{ seconds, requests, reads: requests - writes, writes, cpu: cpuSeconds }],
  );
  const apart = apartOf(rows);
  if (apart !== undefined) return apart;
  const whole = fitted(rows, ["seconds", "requests"]);
  if (whole !== undefined && whole.requests > 0)
    return { cost: whole.requests * 1_000, idle: whole.seconds };
  const together = fitted(rows, ["requests"]);
  return together === undefined ? undefined : { cost: together.requests * 1_000, idle: 0 };
}

/** Below this utilisation of the loops hardly any request waits. */
const LIGHT = 0.3;
/** A 99th percentile of fewer is a maximum. */
const FEWEST = 100;

/** Answers that take more than twice as long as the soonest, and some ms, wait for something, if not for a CPU. */
const calm = (steps: readonly AnsweredStep[]): readonly AnsweredStep[] => {
  const soonest = Math.min(...steps.map(({ latencyMs }) => latencyMs.p50));
  return steps.filter(({ latencyMs }) => latencyMs.p50 <= 2 * soonest + SOME);
};
const SOME = 5;

/** The steps that show what a request takes while hardly anybody is there. */
function lightSteps(
  steps: readonly AnsweredStep[],
  { cost, write = cost }: RequestCpu,
  cpus: number,
): readonly AnsweredStep[] {
  const busy = ({ requests, writes = 0, seconds }: RunStep): number =>
    ((requests - writes) * cost + writes * write) / 1_000 / seconds / cpus;
  const light = steps.filter((step) => busy(step) < LIGHT);
  const from =
    light.length > 0
      ? light
      : steps.toSorted((a, b) => a.achievedPerSecond - b.achievedPerSecond).slice(0, 1);
  const many = from.filter(({ requests }) => requests >= FEWEST);
  return calm(many.length > 0 ? many : from);
}

/** Whether the steps tell the CPU of a request from the CPU at idle; steps of one load don't. */
export const tellsIdle = (run: LoadRun): boolean => (cpuOfRequest(usable(run))?.idle ?? 0) > 0;

/** The costs as the run's steps show them; those that it does not tell stay. @param file the run's name */
export function calibrate(input: PlanInput, run: LoadRun, file: string): PlanInput {
  const steps = usable(run);
  if (steps.length === 0) return input;
  const told = cpuOfRequest(steps);
  const cpu = told !== undefined && told.cost > 0 ? told : undefined; // 0: the clock of a short step has not ticked
  const { costs, place } = input;
  const known = cpu ?? { cost: costs.cpu, write: costs.write.cpu, idle: 0 };
  const light = lightSteps(steps, known, Math.min(place.cpus, place.workers));
  const quiet = (of: (step: AnsweredStep) => number): number => median(light.map(of));
  const most = Math.max(0, ...steps.map(({ rssBytes = 0 }) => rssBytes));
  const worker = (most - costs.others) / (run.server?.workers ?? place.workers);
  // Writes that can't be told apart are requests like any other: what they take is in the figures of all.
  const blurred = steps.some(({ writes = 0 }) => writes > 0) && cpu?.write === undefined;
  const request = cpu?.cost ?? costs.cpu;
  return {
    ...input,
    measuredBy: file,
    costs: {
      ...costs,
      ...(cpu === undefined ? {} : { cpu: cpu.cost, make: 0 }), // made answers are within the CPU of a request
      write: blurred
        ? { cpu: cpu === undefined ? costs.write.cpu : request, p50: 0, p99: 0 }
        : { ...costs.write, cpu: cpu?.write ?? costs.write.cpu },
      ...(worker > 0 ? { worker } : {}),
      quiet: {
        p50: quiet((s) => s.latencyMs.p50),
        p95: quiet((s) => s.latencyMs.p95),
        p99: quiet((s) => s.latencyMs.p99),
      },
    },
  };
}

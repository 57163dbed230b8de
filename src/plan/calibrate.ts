/** A load run in place of the model's own figures. */
import { measured, type Figure } from "./figure.ts";
import type { PlanInput } from "./input.ts";
import { usable, type LoadRun, type RunStep } from "./run.ts";

/** The lower one of an even number. */
export const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor((values.length - 1) / 2)] ?? Number.NaN;

/**
 * CPU that a request costs, and what the server burns by doing nothing: least squares of CPU = idle · seconds + cost · requests over the
 * steps, neither below 0. The idle part matters: on a light step it is most of what was used.
 * @returns ms of CPU a request; undefined when nothing was measured.
 */
export function cpuOfRequest(steps: readonly RunStep[]): { readonly cost: number; readonly idle: number } | undefined {
  const rows = steps.flatMap(({ seconds, requests, cpuSeconds }) =>
    cpuSeconds === undefined ? [] : [{ s: seconds, r: requests, c: cpuSeconds }],
  );
  if (rows.length === 0) return undefined;
  const sum = (of: (row: { s: number; r: number; c: number }) => number): number => rows.reduce((total, row) => total + of(row), 0);
  const [ss, rr, sr, sc, rc] = [
    sum((x) => x.s * x.s),
    sum((x) => x.r * x.r),
    sum((x) => x.s * x.r),
    sum((x) => x.s * x.c),
    sum((x) => x.r * x.c),
  ];
  const together = rc / rr;
  const determinant = ss * rr - sr * sr;
  if (!(determinant > 1e-9 * ss * rr)) return { cost: together * 1_000, idle: 0 };
  const idle = (sc * rr - rc * sr) / determinant;
  const cost = (rc * ss - sc * sr) / determinant;
  return idle < 0 || cost <= 0 ? { cost: together * 1_000, idle: 0 } : { cost: cost * 1_000, idle };
}

/** Loops that are busy for less than this part of the time let next to nobody wait. */
const LIGHT = 0.3;
/** A 99th percentile of fewer is a maximum. */
const FEWEST = 100;

/** The steps that show what a request takes while hardly anybody is there. */
function lightSteps(steps: readonly RunStep[], cost: number, cpus: number): readonly RunStep[] {
  const light = steps.filter(({ achievedPerSecond }) => (achievedPerSecond * cost) / 1_000 / cpus < LIGHT);
  const from = light.length > 0 ? light : steps.toSorted((a, b) => a.achievedPerSecond - b.achievedPerSecond).slice(0, 1);
  const many = from.filter(({ requests }) => requests >= FEWEST);
  return many.length > 0 ? many : from;
}

/** @param file the run's name, for the figures' source. */
export function calibrate(input: PlanInput, run: LoadRun, file: string): PlanInput {
  const steps = usable(run);
  if (steps.length === 0) return input;
  const from = (value: number, what = ""): Figure => measured(value, what === "" ? file : `${file}: ${what}`);
  const told = cpuOfRequest(steps);
  const cpu = told !== undefined && told.cost > 0 ? told : undefined; // 0: the clock of a short step has not ticked
  const { costs, place } = input;
  const light = lightSteps(steps, cpu?.cost ?? costs.cpu.value, Math.min(place.cpus.value, place.workers.value));
  const quiet = (of: (step: RunStep) => number): Figure => from(median(light.map(of)), `${light.length} light steps`);
  const most = Math.max(0, ...steps.map(({ rssBytes = 0 }) => rssBytes));
  const workers = run.server?.workers ?? place.workers.value;
  return {
    ...input,
    costs: {
      ...costs,
      ...(cpu === undefined ? {} : { cpu: from(cpu.cost, "CPU by requests"), make: from(0, "within the CPU of a request") }),
      ...(most > costs.others.value ? { worker: from((most - costs.others.value) / workers, "the most that was resident") } : {}),
      quiet: { p50: quiet((s) => s.latencyMs.p50), p95: quiet((s) => s.latencyMs.p95), p99: quiet((s) => s.latencyMs.p99) },
    },
  };
}

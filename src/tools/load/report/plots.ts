/** The plots of a report. */
import { thinned, type Second } from "../seconds.ts";
import type { StepResult } from "../verdict.ts";
import { time } from "./figures.ts";
import type { Report } from "./html.ts";
import type { Plot } from "./svg.ts";

/** Latency of each step; latency and rate second by second. */
export function plots({
  results,
  seconds,
  limitMs,
}: Pick<Report, "results" | "seconds" | "limitMs">): Plot[] {
  const answered = results.filter(({ measured }) => measured.counts.latency.count > 0);
  const ticks = results.map(({ step }, i) => [i + 1, step.label] as const);
  const bySteps = (
    of: (result: StepResult) => number | undefined,
  ): [number, number | undefined][] =>
    results.map((result, i) => [i + 1, answered.includes(result) ? of(result) : undefined]);
  const mark =
    limitMs === undefined ? {} : { mark: { at: limitMs, name: `p95 limit ${time(limitMs)}` } };
  const steps: Plot[] = [
    {
      title: "Latency of each step",
      x: { name: "step", ticks, to: results.length },
      y: { name: "ms", log: true },
      series: [
        { name: "p50", look: "s0", points: bySteps(({ latency }) => latency.p50) },
        { name: "p95", look: "s1", points: bySteps(({ latency }) => latency.p95) },
        { name: "p99", look: "s2", points: bySteps(({ latency }) => latency.p99) },
      ],
      ...mark,
    },
  ];
  return [...(results.length > 1 ? steps : []), ...overTime(thinned(seconds, WIDEST), mark)];
}

/** Points of a plot. */
const WIDEST = 1_200;

function overTime(seconds: readonly Second[], mark: Pick<Plot, "mark">): Plot[] {
  const points = (of: (second: Second) => number | undefined): [number, number | undefined][] =>
    seconds.map((second) => [second.at, of(second)]);
  return [
    {
      title: "Latency, second by second",
      x: { name: "seconds" },
      y: { name: "ms", log: true },
      series: [
        { name: "p50", look: "s0", points: points(({ p50 }) => p50) },
        { name: "p95", look: "s1", points: points(({ p95 }) => p95) },
      ],
      ...mark,
    },
    {
      title: "Requests, second by second",
      x: { name: "seconds" },
      y: { name: "/s" },
      series: [
        {
          name: "done",
          look: "s0",
          points: points(({ perSecond, isLate }) => (isLate ? undefined : perSecond)),
        },
        { name: "failed", look: "s2", points: points(({ failed }) => failed) },
        { name: "shed", look: "s3", points: points(({ refused }) => refused) },
      ],
    },
  ];
}

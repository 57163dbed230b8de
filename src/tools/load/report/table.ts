/** The table of a run: one row a step, with the server's own figures. */
import { HOW_TO_KNOW } from "../target-bars.ts";
import { isOfTarget, type Threshold } from "../thresholds.ts";
import type { Check, StepResult } from "../verdict.ts";
import { known, latencyText, number, percent, rate, ratio, time, whole } from "./figures.ts";

/** Heading, width and cell. */
type Column = readonly [head: string, width: number, of: (result: StepResult) => string];

/** Users, or with `/s` requests a second; both ends of a ramp. */
export const usersOf = ({ step }: StepResult): string => {
  const unit = step.model === "open" ? "/s" : "";
  return step.from === step.to
    ? `${number(step.to)}${unit}`
    : `${number(step.from)}→${number(step.to)}${unit}`;
};

const MEASURED: readonly Column[] = [
  ["USERS", 9, usersOf],
  ["OFFERED/S", 9, ({ offered }) => rate(offered)],
  ["DONE/S", 8, ({ achieved }) => rate(achieved)],
  ["P50", 8, latencyText("p50")],
  ["P95", 8, latencyText("p95")],
  ["P99", 8, latencyText("p99")],
  ["MAX", 8, latencyText("max")],
  ["ERR", 5, ({ measured: { counts } }) => whole(counts.failed - counts.outcomes.timeout)],
  ["SHED", 5, ({ measured: { counts } }) => whole(counts.outcomes.refused)],
  ["T/O", 5, ({ measured: { counts } }) => whole(counts.outcomes.timeout)],
];

const SERVER: readonly Column[] = [
  ["CPU", 6, ({ server }) => percent(server?.cpu)],
  ["RSS", 6, ({ server }) => percent(server?.rss)],
  ["ELU", 5, ({ server }) => ratio(server?.elu)],
  ["HITS", 6, ({ server }) => percent(server?.hitRatio)],
  ["READS", 5, ({ server }) => known(server?.upstreamCalls, whole)],
  ["QUOTA", 7, ({ server }) => known(server?.quota, ({ used, limit }) => `${used}/${limit}`)],
];

/** Characters. */
const LABEL = 12;
const short = (label: string): string =>
  label.length > LABEL ? `${label.slice(0, LABEL - 1)}…` : label.padEnd(LABEL);

const line = (label: string, cells: (column: Column) => string, hasServer: boolean): string =>
  [
    label,
    ...[...MEASURED, ...(hasServer ? SERVER : [])].map((one) => cells(one).padStart(one[1])),
  ].join(" ");

/** @param hasServer the server's own figures are available. */
export const heading = (hasServer: boolean): string =>
  `${line(short("STEP"), ([head]) => head, hasServer)}  VERDICT`;

export const row = (result: StepResult, hasServer: boolean): string =>
  `${line(short(result.step.label), ([, , of]) => of(result), hasServer)}  ${verdictText(result)}`;

export const verdictText = ({ verdict, cut }: StepResult): string =>
  cut ? `${verdict} (cut)` : verdict;

const isTime = ({ metric, statistic }: Threshold): boolean =>
  metric === "http_req_duration" && statistic !== "count";

/** `p(95)<500 ✗ 812 ms`: the measured value where it does not hold. */
export function checkText({ threshold, value, holds }: Check): string {
  if (value === undefined && holds) return `${threshold.text} – (unknown)`;
  if (value === undefined)
    return `${threshold.text} ✗ (${isOfTarget(threshold) ? `unknown: ${HOW_TO_KNOW}` : "nothing to judge by"})`;
  return `${threshold.text} ${holds ? "✓" : "✗"}${holds ? "" : ` ${isTime(threshold) ? time(value) : number(value)}`}`;
}

/** Each threshold over all steps: the first check that fails, and at which step. */
export function checksOverall(results: readonly StepResult[]): string[] {
  const valid = results.filter(({ verdict }) => verdict !== "INVALID");
  return (valid[0]?.checks ?? []).map((_, i) => {
    const bad = valid.find((result) => result.checks[i]?.holds === false);
    const shown = (bad ?? valid[0])?.checks[i] as Check;
    return `${checkText(shown)}${bad === undefined ? "" : ` at ${bad.step.label}`}`;
  });
}

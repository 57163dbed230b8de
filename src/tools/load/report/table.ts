/** The table of a run: one row a step, with the server's own figures. */
import { HOW_TO_KNOW } from "../target-bars.ts";
import { isOfTarget, type Threshold } from "../thresholds.ts";
import type { Check, StepResult } from "../verdict.ts";
import { number, percent, rate, ratio, time, whole } from "./figures.ts";

interface Column {
  readonly head: string;
  readonly width: number;
  readonly of: (result: StepResult) => string;
}

/** Users, or with `/s` requests a second; both ends of a ramp. */
export const usersOf = ({ step }: StepResult): string => {
  const unit = step.model === "open" ? "/s" : "";
  return step.from === step.to
    ? `${number(step.to)}${unit}`
    : `${number(step.from)}→${number(step.to)}${unit}`;
};

const MEASURED: readonly Column[] = [
  { head: "USERS", width: 9, of: usersOf },
  { head: "OFFERED/S", width: 9, of: ({ offered }) => rate(offered) },
  { head: "DONE/S", width: 8, of: ({ achieved }) => rate(achieved) },
  {
    head: "P50",
    width: 8,
    of: ({ latency, measured }) => latencyOf(latency.p50, measured.counts.latency.count),
  },
  {
    head: "P95",
    width: 8,
    of: ({ latency, measured }) => latencyOf(latency.p95, measured.counts.latency.count),
  },
  {
    head: "P99",
    width: 8,
    of: ({ latency, measured }) => latencyOf(latency.p99, measured.counts.latency.count),
  },
  {
    head: "MAX",
    width: 8,
    of: ({ latency, measured }) => latencyOf(latency.max, measured.counts.latency.count),
  },
  {
    head: "ERR",
    width: 5,
    of: ({ measured: { counts } }) => whole(counts.outcomes.error + counts.outcomes.unexpected503),
  },
  { head: "SHED", width: 5, of: ({ measured: { counts } }) => whole(counts.outcomes.refused) },
  { head: "T/O", width: 5, of: ({ measured: { counts } }) => whole(counts.outcomes.timeout) },
];

const SERVER: readonly Column[] = [
  { head: "CPU", width: 6, of: ({ server }) => percent(server?.cpu) },
  { head: "RSS", width: 6, of: ({ server }) => percent(server?.rss) },
  { head: "ELU", width: 5, of: ({ server }) => ratio(server?.elu) },
  { head: "HITS", width: 6, of: ({ server }) => percent(server?.hitRatio) },
  {
    head: "READS",
    width: 5,
    of: ({ server }) => (server?.upstreamCalls === undefined ? "–" : whole(server.upstreamCalls)),
  },
  {
    head: "QUOTA",
    width: 7,
    of: ({ server }) =>
      server?.quota === undefined ? "–" : `${server.quota.used}/${server.quota.limit}`,
  },
];

const latencyOf = (millis: number, count: number): string => (count === 0 ? "–" : time(millis));
const LABEL = 12;

/** @param known the server's own figures are available. */
export function heading(known: boolean): string {
  const columns = [...MEASURED, ...(known ? SERVER : [])];
  return `${"STEP".padEnd(LABEL)} ${columns.map(({ head, width }) => head.padStart(width)).join(" ")}  VERDICT`;
}

export function row(result: StepResult, known: boolean): string {
  const columns = [...MEASURED, ...(known ? SERVER : [])];
  const label =
    result.step.label.length > LABEL
      ? `${result.step.label.slice(0, LABEL - 1)}…`
      : result.step.label.padEnd(LABEL);
  return `${label} ${columns.map(({ of, width }) => of(result).padStart(width)).join(" ")}  ${result.verdict}${result.cut ? " (cut)" : ""}`;
}

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

/** One line a step, for spreadsheets. RFC 4180. */
import { failed } from "../judge.ts";
import type { StepResult } from "../result.ts";
import { deathsOf } from "./figures.ts";

const COLUMNS: Readonly<Record<string, (result: StepResult) => string | number | undefined>> = {
  step: ({ step }) => step.label,
  model: ({ step }) => step.model,
  from: ({ step }) => step.from,
  to: ({ step }) => step.to,
  seconds: ({ measured }) => measured.seconds.toFixed(3),
  offered_per_s: ({ offered }) => offered.toFixed(3),
  done_per_s: ({ achieved }) => achieved.toFixed(3),
  requests: ({ measured }) => measured.tally.requests,
  p50_ms: (result) => latencyOf(result, "p50"),
  p95_ms: (result) => latencyOf(result, "p95"),
  p99_ms: (result) => latencyOf(result, "p99"),
  max_ms: (result) => latencyOf(result, "max"),
  errors: ({ measured }) => failed(measured.tally) - measured.tally.fates.timeout,
  unexpected_503: ({ measured }) => measured.tally.fates.unexpected503,
  shed: ({ measured }) => measured.tally.fates.refused,
  timeouts: ({ measured }) => measured.tally.fates.timeout,
  bytes: ({ measured }) => measured.tally.bytes,
  target_cpu: ({ server }) => server?.cpu.toFixed(4),
  target_rss_bytes: ({ server }) => server?.rssBytes,
  worker_elu: ({ server }) => server?.elu?.toFixed(4),
  hit_ratio: ({ server }) => server?.hitRatio?.toFixed(5),
  upstream_calls: ({ server }) => server?.upstreamCalls,
  quota_used: ({ server }) => server?.quota?.used,
  quota_limit: ({ server }) => server?.quota?.limit,
  generator_elu: ({ generator }) => generator.elu.toFixed(4),
  generator_late_ms: ({ generator }) => generator.slipMs.toFixed(3),
  verdict: ({ verdict, cut }) => (cut ? `${verdict} (cut)` : verdict),
  // Sheets find columns by their place: those that came later stand behind.
  target_rss: ({ server }) => server?.rss.toFixed(4),
  target_deaths: ({ server }) => deathsOf(server),
  problems: ({ measured }) => Array.from(measured.tally.whys, ([why, count]) => `${why}: ${count}`).join("; "),
};

/** Of good answers; empty where there is none. */
const latencyOf = ({ latency, measured }: StepResult, name: keyof StepResult["latency"]): string | undefined =>
  measured.tally.latency.count === 0 ? undefined : latency[name].toFixed(3);

export function csv(results: readonly StepResult[]): string {
  const rows = results.map((result) => Object.values(COLUMNS).map((of) => cell(of(result))));
  return [Object.keys(COLUMNS), ...rows].map((cells) => `${cells.join(",")}\r\n`).join("");
}

/** A text that a spreadsheet would run as a formula gets an apostrophe before it (CWE-1236). */
function cell(value: string | number | undefined): string {
  if (value === undefined) return "";
  const text = typeof value === "string" && !/^-?\d+(?:\.\d+)?$/.test(value) && /^[=+\-@\t\r]/.test(value) ? `'${value}` : String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

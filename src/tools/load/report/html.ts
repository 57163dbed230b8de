/** The report as one HTML file, without scripts and external resources; foreign text is escaped. */
import type { Advice } from "../advice.ts";
import type { Second } from "../seconds.ts";
import type { StepResult } from "../verdict.ts";
import {
  deathsOf,
  known,
  latencyText,
  number,
  percent,
  rate,
  ratio,
  time,
  whole,
} from "./figures.ts";
import { plots } from "./plots.ts";
import { escape, plot } from "./svg.ts";
import { targetLine, targetVerdicts } from "../target-bars.ts";
import { checksOverall, usersOf, verdictText } from "./table.ts";

export interface Report {
  readonly title: string;
  readonly target: string;
  /** The command that repeats the run. */
  readonly command: string;
  readonly startedAt: string;
  readonly tool: string;
  readonly machine: string;
  readonly notes: readonly string[];
  readonly results: readonly StepResult[];
  readonly seconds: readonly Second[];
  /** ms: the limit of the p95. */
  readonly limitMs: number | undefined;
  readonly bottleneck: string;
  readonly advice: Advice;
  readonly verdict: string;
  readonly ending: string;
}

const STYLE = `:root{color-scheme:light dark;--a:#0b62c4;--b:#c05000;--c:#a3122f;--d:#2c7a3f;--g:#8884}
@media (prefers-color-scheme:dark){:root{--a:#6db0ff;--b:#ffa25c;--c:#ff7a93;--d:#7fd596}}
body{font:15px/1.5 system-ui,sans-serif;max-width:72rem;margin:2rem auto;padding:0 1rem}
h1{font-size:1.4rem;margin:0}h2{font-size:1.1rem;margin:2rem 0 .5rem}code{overflow-wrap:anywhere}
.v{display:inline-block;padding:.1rem .6rem;border-radius:.3rem;color:#fff;font-weight:600}.PASS{background:#2c7a3f}.FAIL{background:#a3122f}.INVALID{background:#6b5b00}
.w{overflow-x:auto}table{border-collapse:collapse;font-variant-numeric:tabular-nums;white-space:nowrap}
th,td{padding:.25rem .5rem;text-align:right;border-bottom:1px solid var(--g)}th{white-space:normal;vertical-align:bottom}
th:first-child,td:first-child{text-align:left;position:sticky;left:0;background:Canvas}td .v{font-size:.8rem;padding:0 .4rem}
dl{display:grid;grid-template-columns:max-content minmax(0,1fr);gap:.2rem 1rem;margin:.8rem 0}dt{font-weight:600}dd{margin:0;overflow-wrap:anywhere}
.p{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,34rem),1fr));gap:1rem 1.5rem;margin:1.5rem 0}svg{width:100%;height:auto;display:block}svg text{fill:currentColor;font:11px system-ui,sans-serif}svg .h{font-weight:600;font-size:13px}svg .t{opacity:.8}
svg line,svg path{fill:none;stroke-width:2}svg .g{stroke:var(--g);stroke-width:1}svg .m{stroke:var(--c);stroke-width:1;stroke-dasharray:5 4}
.s0{stroke:var(--a)}.s1{stroke:var(--b)}.s2{stroke:var(--c)}.s3{stroke:var(--d)}circle.s0{fill:var(--a)}circle.s1{fill:var(--b)}circle.s2{fill:var(--c)}circle.s3{fill:var(--d)}
@media (max-width:60rem){table,tbody{display:block}thead{display:none}
tr{display:grid;grid-template-columns:repeat(auto-fit,minmax(8.5rem,1fr));gap:0 1.2rem;border:1px solid var(--g);border-radius:.4rem;margin:.6rem 0;padding:.3rem .6rem}
th:first-child,td:first-child{position:static}td{display:flex;justify-content:space-between;gap:.6rem;padding:.15rem 0;border:0}
td::before{content:attr(data-name);font-weight:600;text-align:left;white-space:normal}td:first-child{grid-column:1/-1;white-space:normal;overflow-wrap:anywhere}}`;

export function html(report: Report): string {
  const { title, verdict, target, results } = report;
  const known = results.some(({ server }) => server !== undefined);
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width"><title>${escape(title)}</title><style>${STYLE}</style></head><body>
<h1>${escape(title)} ${badge(verdict)}</h1>
<dl>${described([
    ["target", target],
    ["ended", report.ending],
    ["bottleneck", report.bottleneck],
    ...report.advice.ranked.map((text, i) => [i === 0 ? "next" : `then ${i + 1}.`, text] as const),
    ...report.advice.useless.map((text) => ["no use", text] as const),
    ["target's machine", targetLine(targetVerdicts(results))],
    ...checksOverall(results).map((text) => ["threshold", text] as const),
    ...report.notes.map((text) => ["note", text] as const),
  ])}</dl>
<h2>Steps</h2>
<div class="w">${table(STEP_COLUMNS, results)}</div>
<div class="p">
${plots(report).map(plot).join("\n")}
</div>
${known ? `<h2>The server of itself</h2>\n<div class="w">${table(SERVER_COLUMNS, results)}</div>` : ""}
<h2>Endpoints</h2>
<div class="w">${endpoints(results)}</div>
${failures(results)}
<h2>How it was measured</h2>
<dl>${described([
    ["command", report.command],
    ["begun", report.startedAt],
    ["with", report.tool],
    ["on", report.machine],
    [
      "latency",
      "from when a request was due until its answer was read whole; of good answers; at most 1/128 too high",
    ],
  ])}</dl>
</body></html>
`;
}

const badge = (verdict: string, text = verdict): string =>
  `<span class="v ${/^[A-Z]+$/.test(verdict) ? verdict : "INVALID"}">${escape(text)}</span>`;

const described = (rows: readonly (readonly [string, string])[]): string =>
  rows.map(([term, text]) => `<dt>${escape(term)}</dt><dd>${escape(text)}</dd>`).join("");

/** A text is escaped; a verdict is a badge. */
type Columns<T> = readonly (readonly [
  string,
  (of: T) => string | { readonly verdict: string; readonly text: string },
])[];

const STEP_COLUMNS: Columns<StepResult> = [
  ["step", ({ step }) => step.label],
  ["verdict", (result) => ({ verdict: result.verdict, text: verdictText(result) })],
  ["users", usersOf],
  ["offered/s", ({ offered }) => rate(offered)],
  ["done/s", ({ achieved }) => rate(achieved)],
  ["requests", ({ measured }) => whole(measured.counts.requests)],
  ["p50", latencyText("p50")],
  ["p95", latencyText("p95")],
  ["p99", latencyText("p99")],
  ["max", latencyText("max")],
  ["errors", ({ measured: { counts } }) => whole(counts.failed - counts.outcomes.timeout)],
  ["shed", ({ measured: { counts } }) => whole(counts.outcomes.refused)],
  ["timeouts", ({ measured: { counts } }) => whole(counts.outcomes.timeout)],
  ["generator busy", ({ generator }) => percent(generator.elu)],
  ["sent late", ({ generator }) => time(generator.slipMs)],
];

const SERVER_COLUMNS: Columns<StepResult> = [
  ["step", ({ step }) => step.label],
  ["CPU of the machine", ({ server }) => percent(server?.cpu)],
  ["CPU seconds", ({ server }) => known(server?.cpuSeconds, number)],
  ["memory", ({ server }) => percent(server?.rss)],
  ["busiest worker", ({ server }) => ratio(server?.elu)],
  ["from memory", ({ server }) => percent(server?.hitRatio)],
  ["reads of Google", ({ server }) => known(server?.upstreamCalls, whole)],
  ["quota", ({ server }) => known(server?.quota, ({ used, limit }) => `${used}/${limit}`)],
  ["children died", ({ server }) => known(deathsOf(server), whole)],
];

const cell = (content: ReturnType<Columns<never>[number][1]>): string =>
  typeof content === "string" ? escape(content) : badge(content.verdict, content.text);

function table<T>(columns: Columns<T>, rows: readonly T[]): string {
  const head = columns.map(([name]) => `<th>${escape(name)}</th>`).join("");
  const body = rows.map((one) => {
    const cells = columns.map(
      ([name, of]) => `<td data-name="${escape(name)}">${cell(of(one))}</td>`,
    );
    return `<tr>${cells.join("")}</tr>`;
  });
  return `<table><thead><tr>${head}</tr></thead><tbody>${body.join("")}</tbody></table>`;
}

/** Endpoints of each step. */
function endpoints(results: readonly StepResult[]): string {
  const rows = results.flatMap(({ step, measured }) =>
    [...measured.endpoints]
      .sort(([a], [b]) => a.localeCompare(b))
      .map(([name, counts]) => ({ name, step: step.label, counts })),
  );
  type Row = (typeof rows)[number];
  const at =
    (q: number) =>
    ({ counts }: Row): string =>
      time(counts.latency.quantile(q));
  return table<Row>(
    [
      ["endpoint", ({ name }) => name],
      ["step", ({ step }) => step],
      ["answered", ({ counts }) => whole(counts.outcomes.ok)],
      ["not well", ({ counts }) => whole(counts.failed)],
      ["shed", ({ counts }) => whole(counts.outcomes.refused)],
      ["p50", at(0.5)],
      ["p95", at(0.95)],
      ["p99", at(0.99)],
    ],
    rows,
  );
}

function failures(results: readonly StepResult[]): string {
  const rows = results.flatMap(({ step, measured }) =>
    Array.from(measured.counts.reasons, ([why, count]) => ({ step: step.label, why, count })),
  );
  if (rows.length === 0) return "";
  const columns: Columns<(typeof rows)[number]> = [
    ["what went wrong", ({ why }) => why],
    ["step", ({ step }) => step],
    ["times", ({ count }) => whole(count)],
  ];
  return `<h2>Errors and refusals</h2>\n<div class="w">${table(columns, rows)}</div>`;
}

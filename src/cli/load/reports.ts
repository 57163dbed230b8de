/** The run's files: looked at before the run, because a report that can't be written after an hour is an hour lost. */
import { availableParallelism, cpus, release, totalmem, type } from "node:os";
import { DroverError, messageOf } from "../../base/errors.ts";
import type { Situation } from "../../load/bottleneck.ts";
import { advise } from "../../load/advice.ts";
import { finding } from "../../load/bottleneck.ts";
import type { Second } from "../../tools/load/seconds.ts";
import { html } from "../../load/report/html.ts";
import { runStep } from "../../load/result.ts";
import { targetVerdicts } from "../../load/target-verdict.ts";
import type { StepResult } from "../../load/result.ts";
import type { Threshold } from "../../load/metrics.ts";
import { deathsOf } from "../../load/report/figures.ts";
import type { Server } from "../../load/server.ts";
import { RUN_FORMAT, RUN_VERSION, type LoadRun } from "../../plan/run.ts";
import { jsonText } from "../terminal/printable.ts";
import { checkFile, identityOf, writeFile } from "../../tools/output-file.ts";
import type { LoadFlags } from "./flags.ts";

export interface RunFacts {
  readonly startedAt: string;
  readonly version: string;
  readonly target: string;
  readonly argv: readonly string[];
  readonly seed: number;
  /** Of which the figures are known. */
  readonly server: Server | undefined;
  /** Users sign in before they ask. */
  readonly signedIn: boolean;
  readonly thinkMs: number;
  readonly thresholds: readonly Threshold[];
  readonly notes: readonly string[];
}

type Files = Pick<LoadFlags, "json" | "html">;
type Read = Pick<LoadFlags, "profile" | "userFile">;

/** @throws DroverError DROVER_E_USAGE for a file that can't be written, or that another flag of this run names too, under whatever name. */
export function checkFiles(files: Files & Read): void {
  const taken = new Map<string, string>();
  for (const [flag, file, place] of [
    ["--profile", files.profile, identityOf],
    ["--user-file", files.userFile, identityOf],
    ["--json", files.json, checked],
    ["--html", files.html, checked],
  ] as const) {
    const where = file === undefined ? undefined : place(file, flag);
    if (where === undefined) continue;
    const other = taken.get(where);
    if (other !== undefined && place === checked)
      throw new DroverError("DROVER_E_USAGE", `${flag} ${file} is the file of ${other}: give it one of its own`);
    taken.set(where, `${flag} ${file}`);
  }
}

function checked(file: string, flag: string): string | undefined {
  try {
    checkFile(file);
    return identityOf(file);
  } catch (error) {
    throw new DroverError("DROVER_E_USAGE", `${flag} ${file} can't be written: ${messageOf(error)}`, { cause: error });
  }
}

/** @returns undefined when nothing was measured. */
export function runOf(results: readonly StepResult[], facts: RunFacts): LoadRun | undefined {
  if (results.length === 0) return undefined;
  return {
    format: RUN_FORMAT,
    version: RUN_VERSION,
    startedAt: facts.startedAt,
    tool: `drover ${facts.version}`,
    target: facts.target,
    signedIn: facts.signedIn,
    ...(facts.server?.about === undefined ? {} : { server: facts.server.about }),
    steps: results.map((result) => ({ ...runStep(result, facts.thinkMs), ...more(result) })),
  };
}

/** What a reader of the file may want beyond the format; who reads the format leaves it alone. */
const more = ({ verdict, why, cut, judgements, generator, measured, server }: StepResult) => ({
  verdict,
  ...(why === undefined ? {} : { why }),
  ...(cut ? { cut } : {}),
  ...shares(server),
  thresholds: judgements.map(({ threshold, value, holds }) => ({ threshold: threshold.text, value: value ?? null, holds })),
  generator,
  why503: measured.counts.outcomes.unexpected503,
  problems: Object.fromEntries(measured.counts.reasons),
  retried: measured.counts.retried,
  endpoints: Object.fromEntries(
    Array.from(measured.endpoints, ([name, { latency, failed, outcomes }]) => [
      name,
      {
        answered: latency.count,
        failed,
        refused: outcomes.refused,
        p50: latency.quantile(0.5) ?? null,
        p95: latency.quantile(0.95) ?? null,
        p99: latency.quantile(0.99) ?? null,
      },
    ]),
  ),
});

/** Of the target's machine, 0 to 1. Deaths: children that ended unasked. */
function shares(server: StepResult["server"]) {
  if (server === undefined) return {};
  const deaths = deathsOf(server);
  return { cpu: rounded(server.cpu), rss: rounded(server.rss), ...(deaths === undefined ? {} : { deaths }) };
}

const rounded = (share: number): number => Number(share.toFixed(5));

export interface Written {
  readonly situation: Situation;
  readonly seconds: readonly Second[];
  readonly verdict: string;
}

/** What became of each file that was asked for. */
export interface Reports {
  readonly written: readonly string[];
  readonly missing: readonly { readonly file: string; readonly why: string }[];
}

/** One that can't be written keeps no other from being written, nor the run's verdict from being told. */
export function writeReports(files: Files, facts: RunFacts, { situation, seconds, verdict }: Written): Reports {
  const { results, ending } = situation;
  const run = runOf(results, facts);
  if (run === undefined) return { written: [], missing: [] };
  const { ranked, useless } = advise(situation);
  const machine = targetVerdicts(results);
  const about = { ending, verdict, command: command(facts.argv), seed: facts.seed, machine, advice: ranked, noUse: useless };
  const texts: readonly (readonly [string | undefined, () => string])[] = [
    [files.json, () => `${jsonText({ ...run, ...about }, 2)}\n`],
    [files.html, () => page(facts, { situation, seconds, verdict })],
  ];
  const written: string[] = [];
  const missing: { file: string; why: string }[] = [];
  for (const [file, text] of texts) {
    if (file === undefined) continue;
    const why = notWritten(file, text());
    if (why === undefined) written.push(file);
    else missing.push({ file, why });
  }
  return { written, missing };
}

/** @returns why not; undefined: it was. */
function notWritten(file: string, text: string): string | undefined {
  try {
    writeFile(file, text);
    return undefined;
  } catch (error) {
    return messageOf(error);
  }
}

function page(facts: RunFacts, { situation, seconds, verdict }: Written): string {
  const limit = facts.thresholds.find(
    ({ metric, statistic, endpoint }) => metric === "http_req_duration" && endpoint === undefined && typeof statistic === "object",
  );
  return html({
    title: `Load run of ${facts.startedAt.slice(0, 16).replace("T", " ")} UTC`,
    target: facts.target,
    command: command(facts.argv),
    startedAt: facts.startedAt,
    tool: `drover ${facts.version}, Node.js ${process.versions.node}, seed ${facts.seed}`,
    machine: `${availableParallelism()} CPUs (${cpus()[0]?.model.trim() ?? "unknown"}), ${(totalmem() / 2 ** 30).toFixed(1)} GiB, ${type()} ${release()}`,
    notes: facts.notes,
    results: situation.results,
    seconds,
    limitMs: limit?.limit,
    bottleneck: finding(situation).says,
    advice: advise(situation),
    verdict,
    ending: situation.ending === "done" ? "to its end" : `before its end: ${situation.ending}`,
  });
}

/** As it would be typed again. */
export const command = (argv: readonly string[]): string =>
  ["drover load", ...argv.map((word) => (/^[\w./:=,%@+-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`))].join(" ");

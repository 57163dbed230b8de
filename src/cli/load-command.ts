/** `drover load`: users are sent to a server, step by step, and it is said what it holds. */
import { stripVTControlCharacters } from "node:util";
import { EXIT } from "../base/exit.ts";
import type { Situation } from "../tools/load/bottleneck.ts";
import { MOST_RATE, MOST_USERS } from "../load/bounds.ts";
import { prime } from "../load/discover.ts";
import { search, searched, type Search } from "../tools/load/find-max.ts";
import { lasting, number } from "../tools/load/report/figures.ts";
import { heading, row } from "../tools/load/report/table.ts";
import { summary } from "../tools/load/report/text.ts";
import type { StepResult } from "../tools/load/verdict.ts";
import { expectedRequests, lasts, peak, tried, type Step } from "../load/shape.ts";
import { targetVerdicts } from "../tools/load/target-bars.ts";
import { recordResult } from "../tools/checklist/records.ts";
import { Runner } from "../tools/load/runner.ts";
import { Live } from "../tools/load/report/live.ts";
import { writeReports } from "../tools/load/report/files.ts";
import { runOf } from "../tools/load/report/run-file.ts";
import { introduction, prepare, type Prepared } from "./load/prepare.ts";
import type { Endpoint, Traffic } from "../load/traffic.ts";

/** Labels, paths and reasons are strangers' words: nothing but text and line ends reaches the terminal. The blanks of the columns stay. */
const print = (text: string): void =>
  void process.stdout.write(stripVTControlCharacters(text).replaceAll(/[^\n\P{C}]|[\p{Zl}\p{Zp}]/gu, "?"));

export async function load(argv: readonly string[]): Promise<number> {
  const prepared = await prepare(argv);
  const { flags, scenario, options } = prepared;
  print(introduction(prepared));
  if (flags.dryRun) {
    print(`${intended(prepared)}\n`);
    return EXIT.done.code;
  }
  const known = options.server !== undefined;
  const live = new Live(process.stdout, flags.findMax ? undefined : lasts(scenario.steps) / 1_000);
  const results: StepResult[] = [];
  let most: number | undefined;
  const runner = new Runner(options, {
    began: (step, nr) => live.begin(step, nr),
    second: (second, sample) => live.second(second, sample),
    ended: (result) => {
      live.clear();
      results.push(result);
      print(`${row(result, known)}\n`);
    },
  });
  const looking = new AbortController();
  const stop = interruptible(runner, () => {
    live.clear();
    looking.abort();
  });
  print(`${heading(known)}\n`);
  if (scenario.traffic.login === undefined && flags.requests === undefined)
    await prime(options.target, read(scenario.traffic), { timeoutMs: options.timeoutMs, signal: looking.signal });
  try {
    if (flags.findMax) most = await findMax(runner, prepared);
    else for (const [i, step] of scenario.steps.entries()) if ((await runner.step(step, i + 1)) === undefined) break;
    await runner.end();
  } finally {
    live.clear();
    stop();
  }
  return finish(prepared, runner, { results, most });
}

/** What would be done. */
function intended({ flags, scenario: { steps }, facts, mostUsers }: Prepared): string {
  const unit = steps[0]?.model === "open" ? "a second" : "users at once";
  if (flags.findMax)
    return `would begin with ${number(peak(steps))} ${unit} and double until the thresholds break, up to ${number(flags.rate === undefined ? mostUsers : MOST_RATE)}`;
  const most = Math.min(peak(steps), steps[0]?.model === "closed" ? (steps[0].most ?? Infinity) : Infinity);
  const sends = `would send about ${number(expectedRequests(steps, facts.thinkMs))} requests, and up to ${number(most)} ${unit}`;
  return steps.some(({ from, to }) => from !== to) ? `would run   ${steps.map(phase).join(", ")}\n${sends}` : sends;
}

/** `ramp_up: 0→300 in 10 minutes`. */
const phase = ({ label, from, to, holdMs }: Step): string =>
  `${label}: ${from === to ? `${number(to)} for` : `${number(from)}→${number(to)} in`} ${lasting(holdMs)}`;

/** Ctrl-C ends the run and keeps what was measured; once more, and it is left at once. */
function interruptible(runner: Runner, clear: () => void): () => void {
  let once = false;
  const heard = (): void => {
    clear();
    if (once) process.exit(EXIT.interrupted.code);
    once = true;
    process.stderr.write("drover: interrupted: the report will have what was measured (again: without a report)\n");
    runner.interrupt();
  };
  const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
  for (const signal of signals) process.on(signal, heard);
  return () => {
    for (const signal of signals) process.off(signal, heard);
  };
}

/** @returns what holds, in users or requests a second. */
async function findMax(runner: Runner, { flags: { rate }, scenario, mostUsers }: Prepared): Promise<number> {
  const [first] = scenario.steps;
  if (first === undefined) return 0;
  const most = rate === undefined ? mostUsers : MOST_RATE;
  let state: Search = search(Math.max(1, Math.round(first.to)));
  for (let nr = 1; state.is !== "found"; nr += 1) {
    const result = await runner.step(tried(first.model, state.next, first.holdMs), nr);
    if (result === undefined || result.verdict === "INVALID" || result.cut) {
      print(`\nat least ${number(state.good)} ${rate === undefined ? "users" : "requests/s"}: the search could not go on\n`);
      return state.good;
    }
    state = searched(state, result.verdict === "PASS", most);
  }
  const unit = rate === undefined ? "users" : "requests/s";
  const why = most < MOST_USERS ? ": this generator may open no more files: ulimit -n" : "";
  print(`\nholds ${number(state.good)} ${unit}${state.bad === undefined ? ` (no more were tried${why})` : `, not ${number(state.bad)}`}\n`);
  return state.good;
}

/** What reads, of all that is asked: nothing is written before the run. */
const read = ({ endpoints, mix }: Traffic): Endpoint[] =>
  endpoints.filter(({ class: kind, weight }) => kind !== "write" && weight > 0 && mix[kind] > 0);

interface Seen {
  readonly results: readonly StepResult[];
  /** That a search has found to hold; undefined: it was none. */
  readonly most: number | undefined;
}

/** For `drover checklist`. */
function keep(
  { scenario: { steps }, facts, dataDir }: Pick<Prepared, "scenario" | "facts" | "dataDir">,
  verdict: Verdict,
  most = peak(steps),
): void {
  const users = steps[0]?.model === "closed" ? Math.round(most) : 0;
  recordResult(dataDir, { kind: "load", verdict, target: facts.target, users, version: facts.version });
}

function finish({ flags, scenario, options, facts, dataDir }: Prepared, runner: Runner, { results, most }: Seen): number {
  const { ending } = runner;
  const situation: Situation = {
    results,
    ending,
    known: options.server?.about !== undefined,
    json: flags.json,
    url: facts.target,
    searching: flags.findMax,
  };
  const [found, verdict] = outcome(situation, most);
  print(`\n${ending === "target gone" ? "nothing but broken connections for 3 s; this is what was measured until then\n" : ""}`);
  print(summary(situation, runOf(results, facts)));
  const { written, missing } = writeReports(flags, facts, { situation, seconds: runner.seconds, verdict });
  const asked = [flags.json, flags.html].filter((file) => file !== undefined);
  if (written.length > 0) print(`written     ${written.join(", ")}\n`);
  else if (asked.length > missing.length) print(`written     nothing: nothing was measured (${asked.join(", ")}: as before)\n`);
  for (const { file, why } of missing) print(`not written ${file}: ${why}\n`);
  const code = missing.length > 0 && found === EXIT.done.code ? EXIT.temporary.code : found;
  if (ending === "done") keep({ scenario, facts, dataDir }, verdict, most);
  const parts = [
    ...(ending === "done" ? [] : [`a part: ${ending}`]),
    ...(verdict === "PASS" && targetVerdicts(results).length === 0 ? ["without CPU and memory of the target, which are unknown"] : []),
  ];
  print(`${verdict}${parts.length === 0 ? "" : ` (${parts.join("; ")})`}, exit ${code}\n`);
  return code;
}

type Verdict = "PASS" | "FAIL" | "INVALID";

/** A search ends at what fails: only what can't be believed, or nothing that holds, is no good end of it. */
function outcome({ results, ending }: Situation, most: number | undefined): readonly [number, Verdict] {
  const has = (verdict: StepResult["verdict"]): boolean => results.some((result) => result.verdict === verdict);
  const failed = most === undefined ? has("FAIL") : most === 0 && (has("FAIL") || has("PASS"));
  if (ending === "interrupted") return [EXIT.interrupted.code, failed ? "FAIL" : "INVALID"];
  if (failed || ending === "target gone") return [EXIT.thresholds.code, "FAIL"];
  if (has("INVALID")) return [EXIT.loadFailed.code, "INVALID"];
  return results.length === 0 ? [EXIT.loadFailed.code, "INVALID"] : [EXIT.done.code, "PASS"];
}

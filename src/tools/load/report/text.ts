/** The text below the table: errors, thresholds, bottleneck and the next step. */
import { lint, type LoadRun } from "../../plan/run/run.ts";
import { advise } from "../advice.ts";
import { finding, isUnmeasured, type Situation } from "../bottleneck.ts";
import type { StepResult } from "../verdict.ts";
import { number, percent, time } from "./figures.ts";
import { targetLine, targetVerdicts } from "../target-bars.ts";
import { checksOverall } from "./table.ts";

const most = (of: readonly number[]): number => Math.max(0, ...of);

export function summary(situation: Situation, run: LoadRun | undefined): string {
  const { results } = situation;
  const lines = [
    ...failures(results),
    ...unsent(results),
    `thresholds  ${checksOverall(results).join("  ") || "none was judged"}`,
    `machine     ${targetLine(targetVerdicts(results))}`,
    `generator   ${generatorLine(results)}`,
    ...(run === undefined ? [] : lint(run).map((line) => `check       ${line}`)),
    `bottleneck  ${finding(situation).says}`,
    ...adviceLines(situation),
  ];
  return `${lines.join("\n")}\n`;
}

/** The next step, then what helps less, then what would not help. */
function adviceLines(situation: Situation): string[] {
  const { ranked, useless } = advise(situation);
  return ranked
    .map((says, i) => `${(i === 0 ? "next" : `then ${i + 1}.`).padEnd(11)} ${says}`)
    .concat(useless.map((says) => `no use      ${says}`));
}

/** In the open model all connections were taken: the server answers more slowly than requests come. */
const unsent = (results: readonly StepResult[]): string[] =>
  results
    .filter(({ measured }) => measured.generator.unsent > 0)
    .map(
      ({ step, measured }) =>
        `unsent      ${step.label}: ${number(measured.generator.unsent)} requests were due and found no free connection; they are in no figure`,
    );

function generatorLine(results: readonly StepResult[]): string {
  const elu = most(results.map(({ generator }) => generator.elu));
  const slip = most(results.map(({ generator }) => generator.slipMs));
  const cpu = most(results.map(({ generator }) => generator.cpu));
  const spent = results.filter((result) => result.why !== undefined && !isUnmeasured(result));
  const bad = spent.filter(({ verdict }) => verdict === "INVALID").length;
  const says =
    bad > 0
      ? `${bad === spent.length ? "which" : `of which ${bad}`} say nothing`
      : "which passed all the same";
  const state =
    spent.length === 0
      ? "ok"
      : `${spent.every(({ lacks }) => lacks) ? "short of connections" : "saturated"} in ${spent.length} of ${results.length} steps, ${says}`;
  return `${state}: loop ${percent(elu)} busy, sent ${time(slip)} late, ${number(cpu)} CPUs, at most`;
}

const REFUSED = "refused: ";

/** Errors, and the reasons of refusals. */
function failures(results: readonly StepResult[]): string[] {
  const [errors, refusals] = [new Map<string, number>(), new Map<string, number>()];
  for (const [reason, count] of results.flatMap(({ measured }) => [...measured.counts.reasons])) {
    const isRefusal = reason.startsWith(REFUSED);
    const [counts, name] = isRefusal ? [refusals, reason.slice(REFUSED.length)] : [errors, reason];
    counts.set(name, (counts.get(name) ?? 0) + count);
  }
  return [...listed("errors", errors), ...listed("shed", refusals)];
}

const SHOWN = 6;
function listed(name: string, counts: ReadonlyMap<string, number>): string[] {
  if (counts.size === 0) return [];
  const sorted = [...counts].sort(([, a], [, b]) => b - a);
  const rest = sorted.length > SHOWN ? `, and ${sorted.length - SHOWN} others` : "";
  return [
    `${name.padEnd(11)} ${sorted
      .slice(0, SHOWN)
      .map(([why, count]) => `${why}: ${number(count)}`)
      .join(", ")}${rest}`,
  ];
}

/** How much of the target's machine is used, against three bars each: to pass a test, to get a larger machine, to let more users in. */
import type { StepResult } from "./result.ts";

/** Per cent: a test passes below `test`; `scale` says that a larger machine is due, `block` that no more users should be let in. */
export const BARS = {
  CPU: { test: 80, scale: 70, block: 80 },
  memory: { test: 50, scale: 80, block: 85 },
} as const;

export interface ResourceVerdict {
  readonly resource: keyof typeof BARS;
  /** Per cent of the machine, at the busiest step. */
  readonly used: number;
  readonly at: string;
  /** room: below all bars. */
  readonly verdict: "room" | "scale" | "fail" | "block";
}

const judged = (used: number, { test, scale, block }: (typeof BARS)[keyof typeof BARS]): ResourceVerdict["verdict"] =>
  used >= block ? "block" : used >= test ? "fail" : used >= scale ? "scale" : "room";

export const HOW_TO_KNOW =
  "Add --admin URL --admin-token-file FILE (its admin API, a viewer's token), or run drover load in the daemon's folder on its machine";

/** @returns none where nothing is known of the target's machine. */
export function targetVerdicts(results: readonly StepResult[]): ResourceVerdict[] {
  const known = results.flatMap(({ server, step }) => (server === undefined ? [] : [{ cpu: server.cpu, rss: server.rss, at: step.label }]));
  return (
    [
      ["CPU", "cpu"],
      ["memory", "rss"],
    ] as const
  ).flatMap(([resource, name]) => {
    const most = known.toSorted((a, b) => b[name] - a[name])[0];
    if (most === undefined) return [];
    const used = Math.round(most[name] * 1_000) / 10;
    return [{ resource, used, at: most.at, verdict: judged(used, BARS[resource]) }];
  });
}

const SAYS = {
  room: "passes",
  scale: "passes, and a larger machine is due",
  fail: "fails the test",
  block: "fails: let no more users in",
} as const;

/** `CPU 20 % at margin: passes (test 80, scale 70, block 80)`. */
export const targetLine = (verdicts: readonly ResourceVerdict[]): string =>
  verdicts.length === 0
    ? `unknown: CPU and memory of the target. ${HOW_TO_KNOW}`
    : verdicts
        .map(({ resource, used, at, verdict }) => {
          const { test, scale, block } = BARS[resource];
          const due = verdict === "fail" && used >= scale ? ", and a larger machine is due" : "";
          return `${resource} ${used} % at ${at}: ${SAYS[verdict]}${due} (test ${test}, scale ${scale}, block ${block})`;
        })
        .join("; ");

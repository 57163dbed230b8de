/** CPU and memory of the target's machine against three limits each. */
import type { StepResult } from "./verdict.ts";

/** Per cent: a test passes below `test`; from `scale` on a larger machine is due, from `block` on no more users. */
const BARS = {
  CPU: { test: 80, scale: 70, block: 80 },
  memory: { test: 50, scale: 80, block: 85 },
} as const;
type Resource = keyof typeof BARS;

export interface ResourceVerdict {
  readonly resource: Resource;
  /** Per cent of the machine, at its busiest step. */
  readonly used: number;
  readonly at: string;
  /** room: below all three. */
  readonly verdict: "room" | "scale" | "fail" | "block";
}

export const HOW_TO_KNOW =
  "Add --admin URL --admin-token-file FILE (its admin API, a viewer's token), or run drover load in the daemon's folder on its machine";

/** @returns none where nothing is known of the target's machine. */
export function targetVerdicts(results: readonly StepResult[]): ResourceVerdict[] {
  return (["CPU", "memory"] as const).flatMap((resource) => {
    const [most] = results
      .flatMap(({ server, step }) => {
        if (server === undefined) return [];
        return [{ share: resource === "CPU" ? server.cpu : server.rss, at: step.label }];
      })
      .toSorted((a, b) => b.share - a.share);
    if (most === undefined) return [];
    const used = Math.round(most.share * 1_000) / 10;
    return [{ resource, used, at: most.at, verdict: verdictOf(resource, used) }];
  });
}

function verdictOf(resource: Resource, used: number): ResourceVerdict["verdict"] {
  const { test, scale, block } = BARS[resource];
  if (used >= block) return "block";
  if (used >= test) return "fail";
  return used >= scale ? "scale" : "room";
}

const TEXTS = {
  room: "passes",
  scale: "passes, and a larger machine is due",
  fail: "fails the test",
  block: "fails: let no more users in",
} as const;

/** `CPU 20 % at margin: passes (test 80, scale 70, block 80)`. */
export function targetLine(verdicts: readonly ResourceVerdict[]): string {
  if (verdicts.length === 0) return `unknown: CPU and memory of the target. ${HOW_TO_KNOW}`;
  return verdicts
    .map(({ resource, used, at, verdict }) => {
      const { test, scale, block } = BARS[resource];
      const due = verdict === "fail" && used >= scale ? ", and a larger machine is due" : "";
      return `${resource} ${used} % at ${at}: ${TEXTS[verdict]}${due} (test ${test}, scale ${scale}, block ${block})`;
    })
    .join("; ");
}

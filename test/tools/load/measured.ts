/** A step's figures without a run. */
import type { Answer } from "../../../src/tools/load/engine/counts.ts";
import { Counts, histogram } from "../../../src/tools/load/engine/counts.ts";
import type { GeneratorUse, Measured } from "../../../src/tools/load/engine/engine.ts";

export const OK: Answer = { outcome: "ok", reason: "" };

export interface Ended {
  readonly endpoint?: string;
  readonly answer?: Answer;
  readonly ms?: number;
  readonly times?: number;
}

/** A generator at ease. */
const CALM = { loop: 0.1, connections: 0, isShort: false, unsent: 0, unanswered: 0 };

/** All good answers came in time; each request was sent 0.1 ms late. Ten seconds unless told otherwise. */
export function measuredOf(
  ended: readonly Ended[],
  { seconds = 10, ...use }: Partial<GeneratorUse> & { readonly seconds?: number } = {},
): Measured {
  const [counts, late] = [new Counts(), histogram()];
  const endpoints = new Map<string, Counts>();
  for (const { endpoint = "/", answer = OK, ms = 1, times = 1 } of ended)
    for (let i = 0; i < times; i += 1) {
      const own = endpoints.get(endpoint) ?? new Counts();
      endpoints.set(endpoint, own);
      late.record(0.1);
      for (const one of [counts, own]) one.record(answer, ms);
      if (answer.outcome === "ok") counts.inTime += 1;
    }
  return { counts, endpoints, seconds, generator: { ...CALM, late, ...use } };
}

/**
 * The most users (or requests a second) that the thresholds allow: doubles until a step fails, then
 * halves the interval down to a sixteenth.
 */
export type Search =
  | { readonly is: "rising"; readonly good: number; readonly next: number }
  | {
      readonly is: "narrowing";
      readonly good: number;
      readonly bad: number;
      readonly next: number;
    }
  /** `bad` undefined: nothing failed up to the upper bound. */
  | { readonly is: "found"; readonly good: number; readonly bad: number | undefined };

const PRECISION = 1 / 16;

export const search = (first: number): Search => ({ is: "rising", good: 0, next: first });

/** @param most upper bound. */
export function searched(
  state: Exclude<Search, { is: "found" }>,
  isPassed: boolean,
  most: number,
): Search {
  if (isPassed && state.is === "rising")
    return state.next >= most
      ? { is: "found", good: state.next, bad: undefined }
      : { is: "rising", good: state.next, next: Math.min(most, state.next * 2) };
  const good = isPassed ? state.next : state.good;
  const bad = isPassed && state.is === "narrowing" ? state.bad : state.next;
  const next = Math.floor((good + bad) / 2);
  if (next <= good || bad - good <= Math.max(1, bad * PRECISION)) return { is: "found", good, bad };
  return { is: "narrowing", good, bad, next };
}

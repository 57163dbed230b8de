/** How many users (or requests a second) the thresholds allow: doubled until they break, then halved in between. A search that ends. */
export type Search =
  | { readonly is: "rising"; readonly good: number; readonly next: number }
  | { readonly is: "narrowing"; readonly good: number; readonly bad: number; readonly next: number }
  /** `bad` undefined: nothing broke up to the bound. */
  | { readonly is: "found"; readonly good: number; readonly bad: number | undefined };

/** Good enough: within a sixteenth. */
const PRECISION = 1 / 16;

export const search = (first: number): Search => ({ is: "rising", good: 0, next: first });

/** @param most beyond which nobody looks. */
export function searched(state: Exclude<Search, { is: "found" }>, passed: boolean, most: number): Search {
  if (passed && state.is === "rising")
    return state.next >= most
      ? { is: "found", good: state.next, bad: undefined }
      : { is: "rising", good: state.next, next: Math.min(most, state.next * 2) };
  const good = passed ? state.next : state.good;
  const bad = passed ? (state as Extract<Search, { is: "narrowing" }>).bad : state.next;
  const next = Math.floor((good + bad) / 2);
  if (next <= good || bad - good <= Math.max(1, bad * PRECISION)) return { is: "found", good, bad };
  return { is: "narrowing", good, bad, next };
}

import { between, type Instant } from "../../base/units.ts";
import type { Policy } from "./model.ts";

/** The crashes that still count. */
export const recent = (history: readonly Instant[], at: Instant, { within }: Policy["crashLimit"]): readonly Instant[] =>
  history.filter((crash) => between(crash, at) <= within);

/**
 * Restart intensity, after Erlang/OTP's supervisor: more than `crashes` within `within` means that starting again at once
 * does not help.
 * @returns the crashes to remember (never more than the limit + 1) and whether the limit is exceeded.
 */
export function intensity(
  history: readonly Instant[],
  at: Instant,
  limit: Policy["crashLimit"],
): { readonly crashes: readonly Instant[]; readonly exceeded: boolean } {
  const crashes = [...recent(history, at, limit), at];
  return { crashes: crashes.slice(-(limit.crashes + 1)), exceeded: crashes.length > limit.crashes };
}

/** What the log says of a wall clock that was set, and of daily quotas that are ahead of it. */
import type { ClockStep } from "../../base/clock-watch.ts";
import type { Timestamp } from "../../base/units.ts";
import type { Days } from "./days.ts";

const iso = (at: Timestamp): string => new Date(at).toISOString();

/** @returns undefined unless a later day was counted than the clock's. */
export function daysAhead(days: Days, wall: Timestamp): string | undefined {
  const ahead = days.ahead(wall);
  if (ahead <= 0) return undefined;
  const repair = "If the clock is right now and was wrong before: drover slots reset-day";
  return `daily quotas stay on ${days.current(wall).day}, ${ahead} ${ahead === 1 ? "day" : "days"} ahead of the clock. ${repair}`;
}

export function stepReport(step: ClockStep, days: Days): { readonly fields: object; readonly text: string } {
  const [expected, actual] = [iso(step.expected), iso(step.actual)];
  const what = step.by < 0 ? "was set back" : "was set forward, or the machine slept,";
  const ahead = daysAhead(days, step.actual);
  return {
    fields: { event: "clock-step", expected, actual, step_ms: step.by },
    text: `the wall clock ${what} by ${Math.abs(step.by / 1_000)} s: it reads ${actual} instead of ${expected}${ahead === undefined ? "" : `; ${ahead}`}`,
  };
}

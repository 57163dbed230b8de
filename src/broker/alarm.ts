import type { Clock } from "../base/clock.ts";
import { between, type Instant } from "../base/units.ts";

/** Calls `wake` at an instant (at once, but not before this call returns, when it has passed). @returns a function that prevents it. */
export type Alarm = (at: Instant, wake: () => void) => () => void;

/** setTimeout's longest delay: what is later is looked at again then. */
const LONGEST = 2 ** 31 - 1;

export const systemAlarm =
  (clock: Clock): Alarm =>
  (at, wake) => {
    const timer = setTimeout(wake, Math.min(LONGEST, Math.max(0, Math.ceil(between(clock.now(), at)))));
    return () => clearTimeout(timer);
  };

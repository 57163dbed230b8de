import { after, type Instant, type Ms } from "../../base/units.ts";

/** How long a request may wait in the queue. */
export interface Patience {
  /** Within this the queue is expected to be empty once: the wait allowed in quiet times. */
  readonly interval: Ms;
  /** The wait allowed once it has not been. */
  readonly target: Ms;
}

/**
 * Controlled delay for a server's queue (Nichols and Jacobson, "Controlling Queue Delay", ACM Queue 2012; in this simple form
 * Maurer, "Fail at Scale", ACM Queue 2015): a queue that has not been empty for a whole interval is no burst but standing
 * overload, and then waiting helps nobody: allow little of it, and serve the newest first, whose client still waits.
 */
export function overloaded(lastEmpty: Instant, now: Instant, patience: Patience): boolean {
  return now > after(lastEmpty, patience.interval);
}

/** When a request that starts to wait now is to be refused. */
export function deadline(lastEmpty: Instant, now: Instant, patience: Patience): Instant {
  return after(now, overloaded(lastEmpty, now, patience) ? patience.target : patience.interval);
}

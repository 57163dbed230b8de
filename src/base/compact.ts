import { performance, type EventLoopUtilization } from "node:perf_hooks";
import { ms, type Ms } from "./units.ts";

/** Once the start is over: most of what it needed is garbage by then. */
const FIRST_LOOK = ms(5_000);
const LOOK_EVERY = ms(1_000);
/** A process that is never idle for so long collects by itself. */
const LAST_LOOK = 60;
/** The loop's utilization, 0…1, below which a pause of some 50 ms is nobody's loss. */
const IDLE = 0.1;

/** V8's own `gc`, which --expose-gc gives. */
export type Collect = (options: { readonly type: "major"; readonly execution: "sync"; readonly flavor: "last-resort" }) => void;

/**
 * Collects all that can be done without, for ever. The hidden classes of what is not alive at that moment go too, and V8 takes an object
 * literal with computed names that meets new ones for one of many shapes, from then on: process.nextTick(), which every request needs
 * several times, would cost three times as much for the rest of the process's life (450 instead of 150 ns; 5 % of a cached answer).
 * So one of its objects is alive meanwhile.
 */
export function compact(collect: Collect): void {
  process.nextTick(() => {});
  collect({ type: "major", execution: "sync", flavor: "last-resort" });
}

/**
 * Gives back, once, what the start needed and serving does not: the code of functions that ran once, slack of half-filled pages. V8 would
 * do so under memory pressure alone, and N processes that wait for it keep several MB each (ADR 22). It waits for an idle second.
 * @param utilization of the loop since the previous figure, as performance.eventLoopUtilization gives it.
 */
export function compactOnceIdle(
  collect: Collect,
  utilization: typeof performance.eventLoopUtilization = performance.eventLoopUtilization,
): void {
  let since: EventLoopUtilization | undefined;
  let looks = 0;
  const look = (): void => {
    const now = utilization();
    const idle = since !== undefined && utilization(now, since).utilization < IDLE;
    since = now;
    looks += 1;
    if (idle) compact(collect);
    else if (looks < LAST_LOOK) later(LOOK_EVERY);
  };
  const later = (wait: Ms): void => void setTimeout(look, wait).unref();
  later(ms(FIRST_LOOK - LOOK_EVERY));
}

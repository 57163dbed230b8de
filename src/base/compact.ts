import { performance, type EventLoopUtilization } from "node:perf_hooks";
import { ms, type Ms } from "./units.ts";

/** Once the start is over: most of what it needed is garbage by then. */
const FIRST_LOOK = ms(5_000);
const LOOK_EVERY = ms(1_000);
/** The loop's utilization, 0…1, below which a pause of some 50 ms is nobody's loss. */
const IDLE = 0.1;
/** Of the loop, since the start: V8 has learned by then what this process does, and it would have to learn it again. */
const WARM = ms(1_000);

type Collect = (options: { readonly type: "major"; readonly execution: "sync"; readonly flavor: "last-resort" }) => void;

/**
 * V8's own `gc`, from a context of its own that is made while the flag stands. On the command line --expose-gc would make V8 refuse the
 * compiled code that Node.js carries for its own modules: it is kept for the flags it was made with (ADR 22).
 */
function collector(): Collect {
  const [v8, vm] = [process.getBuiltinModule("node:v8"), process.getBuiltinModule("node:vm")];
  v8.setFlagsFromString("--expose-gc");
  const collect = vm.runInNewContext("gc") as Collect;
  v8.setFlagsFromString("--no-expose-gc");
  return collect;
}

/**
 * Collects all that can be done without, for ever. The hidden classes of what is not alive at that moment go too, and V8 takes an object
 * literal with computed names that meets new ones for one of many shapes, from then on: process.nextTick(), which every request needs
 * several times, would cost three times as much for the rest of the process's life (450 instead of 150 ns; 5 % of a cached answer).
 * So one of its objects is alive meanwhile.
 */
export function compact(): void {
  const collect = collector();
  process.nextTick(() => {});
  collect({ type: "major", execution: "sync", flavor: "last-resort" });
}

/**
 * For a process that serves no requests, whose work comes in bursts: each reload of the master leaves some MB of compiled code and of
 * half-filled pages. @returns a function that compacts in the next idle second; calls until then are one.
 */
export function compactor(
  collect: () => void = compact,
  utilization: typeof performance.eventLoopUtilization = performance.eventLoopUtilization,
): () => void {
  let pending = false;
  return () => {
    if (pending) return;
    pending = true;
    compactOnceIdle(() => ((pending = false), collect()), utilization, ms(Infinity));
  };
}

/**
 * Gives back, once, what the start needed and serving does not: the code of functions that ran once, slack of half-filled pages. V8 would
 * do so under memory pressure alone, and N processes that wait for it keep several MB each (ADR 22). It waits for an idle second, and leaves
 * alone who has had work by then.
 * @param utilization of the loop since the previous figure, as performance.eventLoopUtilization gives it.
 * @param warm with so much work since, the process is left alone.
 */
export function compactOnceIdle(
  collect: () => void = compact,
  utilization: typeof performance.eventLoopUtilization = performance.eventLoopUtilization,
  warm: Ms = WARM,
): void {
  const ready = utilization();
  let since: EventLoopUtilization | undefined;
  const look = (): void => {
    const now = utilization();
    if (utilization(now, ready).active > warm) return;
    const idle = since !== undefined && utilization(now, since).utilization < IDLE;
    since = now;
    if (idle) collect();
    else later(LOOK_EVERY);
  };
  const later = (wait: Ms): void => void setTimeout(look, wait).unref();
  later(ms(FIRST_LOOK - LOOK_EVERY));
}

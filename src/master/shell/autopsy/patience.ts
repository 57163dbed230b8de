/**
 * How long an answer of a process's debugger is waited for. A process in native code never gives one; one in JavaScript does as soon as it
 * has had a little CPU, which on a busy machine takes a while: so the time that counts is its own.
 */
import type { Ms } from "../../../base/units.ts";
import { readMainThread, readMainThreadTime } from "../procstat.ts";

/** CPU milliseconds of its main thread, within which whoever is in JavaScript opens the debugger: it takes about 20. */
const ENOUGH = 400;
/** At most, ms: of a conversation that has begun, and of a process that wants to run and may not. */
const LONGEST = 3_200;
const LOOK_EVERY = 50;

export interface Patience {
  /** Fires when it is over. */
  readonly signal: AbortSignal;
  end(): void;
}

/** @param budget the usual time. @param hasAnswered whether its debugger has said anything: then it is a matter of time alone. */
export function patience(pid: number, budget: Ms, hasAnswered: () => boolean): Patience {
  const controller = new AbortController();
  const began = performance.now();
  const cpuOf = (): number => readMainThreadTime(pid) ?? Infinity;
  const before = cpuOf();
  const isHungry = (): boolean => readMainThread(pid)?.state === "R" && cpuOf() - before < ENOUGH;
  const look = (): void => {
    const isOver = performance.now() - began >= LONGEST;
    if (isOver || !(hasAnswered() || isHungry())) return controller.abort();
    timer = setTimeout(look, LOOK_EVERY);
  };
  let timer = setTimeout(look, Math.max(1, budget));
  return { signal: controller.signal, end: () => clearTimeout(timer) };
}

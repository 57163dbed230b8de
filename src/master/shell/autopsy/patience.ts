/**
 * How long an answer of a process's debugger is waited for. A process in native code never gives one; one in JavaScript does as soon as it
 * has had a little CPU, which on a busy machine takes a while: so the time that counts is its own.
 */
import type { Ms } from "../../../base/units.ts";
import { readMainThreadTime } from "../procstat.ts";

/** CPU milliseconds of its main thread, within which whoever is in JavaScript has opened the debugger, many times over: it takes about 20. */
const ENOUGH = 1_000;
/** Of the time: who wants to run and gets less shares its CPU, and so do all who take part in the answer. */
const LEAST_SHARE = 0.8;
/** ms, at most. */
const LONGEST = 8_000;
const LOOK_EVERY = 50;

export interface Patience {
  /** Fires when it is over. */
  readonly signal: AbortSignal;
  end(): void;
}

/** @param budget the usual time. @param isWorthIt whether, beyond that, an answer may still come. */
export function patience(budget: Ms, isWorthIt: () => boolean): Patience {
  const controller = new AbortController();
  const began = performance.now();
  const look = (): void => {
    if (performance.now() - began >= LONGEST || !isWorthIt()) return controller.abort();
    timer = setTimeout(look, LOOK_EVERY);
  };
  let timer = setTimeout(look, Math.max(1, budget));
  return { signal: controller.signal, end: () => clearTimeout(timer) };
}

interface Reading {
  readonly time: typeof readMainThreadTime;
  /** Monotonic ms. */
  readonly now: () => number;
}

/**
 * @param pid of a process that runs, or would if it might: at any one look it may wait for the threads of its garbage collector.
 * @returns whether since now it has had too little CPU to have answered, on a machine that others use too.
 */
export function hungerOf(pid: number, read: Reading = { time: readMainThreadTime, now: () => performance.now() }): () => boolean {
  const [before, began] = [read.time(pid), read.now()];
  return () => {
    const now = read.time(pid);
    return before !== undefined && now !== undefined && now - before < Math.min(ENOUGH, (read.now() - began) * LEAST_SHARE);
  };
}

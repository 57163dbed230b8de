/** Waiting in tests: for a state, never for a time. */
import { setTimeout as sleep } from "node:timers/promises";

/**
 * How much slower than a quiet machine this one is: 1 to 8. The runner measures it once (test/run.ts); a file that is run by
 * itself takes 1.
 */
export const SLOWNESS = Math.min(8, Math.max(1, Number(process.env["DROVER_TEST_SLOWNESS"]) || 1));

/** Bound of a wait, in ms (a soak sets its own). It ends a hung test and measures nothing. */
const HANG = Number(process.env["DROVER_TEST_HANG"]) || 120_000 * SLOWNESS;

/**
 * Polls until `look` returns a value and does not throw.
 * @param what the awaited state, for the message of a wait in vain.
 * @param look undefined, false or an exception: not yet.
 * @throws after 120 s (times the slowness), with the last exception of `look` as its cause.
 */
export async function eventually<T>(what: string, look: () => T | undefined | false | Promise<T | undefined | false>): Promise<T> {
  const begun = performance.now();
  for (;;) {
    let cause: unknown;
    try {
      const found = await look();
      if (found !== undefined && found !== false) return found;
    } catch (error) {
      cause = error;
    }
    const waited = performance.now() - begun;
    if (waited > HANG) throw new Error(`waited ${Math.round(waited / 1_000)} s in vain until ${what}`, { cause });
    await sleep(waited < 500 ? 20 : 50); // a status costs the daemon and the test a millisecond of CPU
  }
}

/** @returns a timeout of the product for a test, as a setting: so many seconds, stretched by the slowness of this machine. */
export const slow = (seconds: number): string => `${Math.ceil(seconds * SLOWNESS * 1_000)}ms`;

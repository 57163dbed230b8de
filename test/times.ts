import { setTimeout as sleep } from "node:timers/promises";

/** How often a test that tries at random tries: `npm run test:soak` multiplies it. */
export const times = (n: number): number => n * Number(process.env["DROVER_TEST_TIMES"] ?? 1);

const asked = times(1) > 1;
/** What `npm test` takes, and what the soak takes instead. */
export const soaked = <T>(short: T, long: T): T => (asked ? long : short);

/** Between two requests of a client under load: `npm test` leaves the cores to those who answer, the soak asks without a pause. */
export const pause = (millis = 20): Promise<void> => (asked ? Promise.resolve() : sleep(millis));

/**
 * Repeats a measurement that a busy machine can spoil, until one try holds.
 * @returns what the first try that holds measured, or the last one; the caller asserts on it.
 */
export async function untilHolds<T>(most: number, measure: () => Promise<T>, holds: (measured: T) => boolean): Promise<T> {
  for (let nr = 1; ; nr += 1) {
    const measured = await measure();
    if (nr === most || holds(measured)) return measured;
  }
}

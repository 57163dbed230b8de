/** How often a test that tries at random tries: the soak multiplies it. */
export const times = (n: number): number => n * Number(process.env["DROVER_TEST_TIMES"] ?? 1);

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

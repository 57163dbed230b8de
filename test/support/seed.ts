/** Seeds of random tests: fixed in `npm test`, drawn in the soak. */

/** The seed of `npm test`: a red run is then a regression and no new find. */
const FIXED = 20_261_124;

/** @returns DROVER_TEST_SEED; where it is not set, a drawn number in the soak, else a fixed one. */
export function seedOf(): number {
  const { DROVER_TEST_SEED: given, DROVER_TEST_TIMES: times = "1" } = process.env;
  return given !== undefined ? Number(given) : Number(times) > 1 ? Date.now() % 2 ** 31 : FIXED;
}

/**
 * Prints the seed and how to repeat it.
 * @param name of the random test.
 */
export function seed(name: string): number {
  const value = seedOf();
  console.log(`# ${name}: seed ${value}, repeat with DROVER_TEST_SEED=${value}`);
  return value;
}

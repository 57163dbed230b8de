/** Seeds of random tests: fixed in `npm test`, drawn in the soak. */

/** The seed of `npm test`: a red run is then a regression and no new find. */
const FIXED = 20_261_124;

/**
 * Prints the seed and how to repeat it.
 * @param name of the random test.
 * @returns DROVER_TEST_SEED; where it is not set, a drawn number in the soak, else a fixed one.
 */
export function seed(name: string): number {
  const given = process.env["DROVER_TEST_SEED"];
  const soak = Number(process.env["DROVER_TEST_TIMES"] ?? 1) > 1;
  const value = given === undefined ? (soak ? Date.now() % 2 ** 31 : FIXED) : Number(given);
  console.log(`# ${name}: seed ${value}, repeat with DROVER_TEST_SEED=${value}`);
  return value;
}

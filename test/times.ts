/** How often a test that tries at random tries: `npm run test:soak` multiplies it. */
export const times = (n: number): number => n * Number(process.env["DROVER_TEST_TIMES"] ?? 1);

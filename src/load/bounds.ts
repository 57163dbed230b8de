/** What one generator can send at most: the command line and a profile are held to the same. */

/** At once. One source address has some 28,000 ports towards one target. */
export const MOST_USERS = 20_000;
/** Requests a second. */
export const LEAST_RATE = 0.01;
export const MOST_RATE = 100_000;

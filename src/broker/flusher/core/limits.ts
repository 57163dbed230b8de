/** The figures of writing. */
import { minutes, ms, seconds } from "../../../base/units.ts";

/** A flush waits until nothing was accepted for so long, and at most so long in all. */
export const QUIET = ms(50);
export const LONGEST_QUIET = ms(250);
/** Of one request. Google recommends at most 2 MB, and an append may carry a cell of 50,000 characters in each column. */
export const MOST_ROWS = 500;
export const MOST_BYTES = 1_000_000;
/** Google may work 180 s on one request: an attempt without an answer may do its work until then. */
export const GOOGLE_WORKS = seconds(185);
/** A fence stands so long after its batch is settled: every attempt of the batch has ended long before. */
export const FENCE_LIFE = minutes(8);
/** Old metadata of other daemons is removed an hour after this daemon first saw it: a running one removes its own before that. */
export const LITTER_STANDS = minutes(60);
/** A spreadsheet holds 30,000 characters of metadata of its own: 600 fences are at most about 21,000. */
export const MOST_FENCES = 600;
/** Fences removed by one request. */
export const MOST_REMOVALS = 100;
export const MOST_TAGS = 600;
/** A row's key cell was seen so recently that its tag is written to without looking again. */
export const TRUST = seconds(60);
/** Two readings of one table's key column are so far apart. */
export const LOCATE_APART = seconds(3);
/** Something is waited for that nobody tells of (a tab to come back): looked at again after. */
export const LOOK_AGAIN = seconds(1);
export const LOST_TAB = seconds(30);
/** A table's header row was seen so recently that values are written by it without looking again. */
export const HEADER_TRUST = seconds(5);
/** One that was not as expected is looked at again after. */
export const HEADER_AGAIN = seconds(5);
/** Changes go without a look at header rows for so long after Google refused some with the first such look. */
export const HEADERS_AGAIN = seconds(60);
export const LONGEST_BACKOFF = seconds(30);
/** Longest pause before a row that was not where it was last seen is tried again. */
export const LONGEST_LOST = seconds(1);
/** A spreadsheet that did not refuse a second fence is asked again after. */
export const PROVE_AGAIN = minutes(60);
/** Fences that others left behind, in days: all, and the newest of each, which tells a restored journal that it is old. */
export const LITTER_DAYS = { any: 1, newest: 30 } as const;

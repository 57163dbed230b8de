/** How far two lists of rows are the same, from both ends: most of a table that changes is as it was. Pure. */

/** Rows as JSON objects with commas between. */
export interface Sliced {
  readonly count: number;
  readonly slice: (from: number, to: number) => Uint8Array;
}

/** How many rows from the first, and of the others from the last, are the same in both. */
export interface Alike {
  readonly head: number;
  readonly tail: number;
}

/** Rows that are compared at once: as JSON has one reading only, equal bytes are equal rows. */
const BLOCK = 256;

export function alike(a: Sliced, b: Sliced): Alike {
  const shorter = Math.min(a.count, b.count);
  const same = (i: number, j: number, many: number): boolean => Buffer.compare(a.slice(i, i + many), b.slice(j, j + many)) === 0;
  let head = 0;
  while (head + BLOCK <= shorter && same(head, head, BLOCK)) head += BLOCK;
  while (head < shorter && same(head, head, 1)) head += 1;
  let tail = 0;
  const fits = (many: number): boolean => tail + many <= shorter - head && same(a.count - tail - many, b.count - tail - many, many);
  while (fits(BLOCK)) tail += BLOCK;
  while (fits(1)) tail += 1;
  return { head, tail };
}

/** What one call may carry. */
import type { Place } from "./place.ts";

/** What fits into one URL. */
const MOST_CHARACTERS = 6_000;
/** What Google recommends for one answer (developers.google.com/workspace/sheets/api/limits), by the sizes of earlier ones. */
export const MOST_BYTES = 2_000_000;

/** @returns as many of the places, from the first on, as one call may carry: one at least. @param most ranges. */
export function fitting(places: readonly Place[], most: number): readonly Place[] {
  let [characters, bytes] = [0, 0];
  const fits = (place: Place, i: number): boolean => {
    characters += encodeURIComponent(place.table.range.toWellFormed()).length + 20;
    bytes += place.bytes;
    return i === 0 || (i < most && characters <= MOST_CHARACTERS && bytes <= MOST_BYTES);
  };
  const end = places.findIndex((place, i) => !fits(place, i));
  return end === -1 ? places : places.slice(0, end);
}

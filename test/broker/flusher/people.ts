/** What people do to a sheet while it is written: rows move, come, and go again. No row of a client is removed. */
import type { FakeGoogle } from "./google.ts";

const row = (startIndex: number): object => ({ sheetId: 0, dimension: "ROWS", startIndex, endIndex: startIndex + 1 });
const isOurs = (line: readonly unknown[]): boolean =>
  !["", "undefined"].includes(String(line[0])) && !String(line[0]).startsWith("by hand");

/** @param random 0 ≤ random < 1 */
export function disturb(google: FakeGoogle, tab: string, random: () => number): void {
  const lines = google.values(tab);
  const any = (): number => 1 + Math.floor(random() * Math.max(1, lines.length - 1));
  const kind = random();
  if (lines.length < 2) return;
  if (kind < 0.35) {
    const [from, to] = [any(), any()];
    if (from < lines.length && to !== from && to !== from + 1) google.edit({ moveDimension: { source: row(from), destinationIndex: to } });
  } else if (kind < 0.6) {
    const at = any();
    const cells = [{ values: [{ userEnteredValue: { stringValue: `by hand ${Math.floor(random() * 1e9)}` } }] }];
    google.edit(
      { insertDimension: { range: row(at) } },
      { updateCells: { start: { sheetId: 0, rowIndex: at, columnIndex: 0 }, rows: cells, fields: "userEnteredValue" } },
    );
  } else if (kind < 0.8) {
    google.edit({ insertDimension: { range: row(any()) } });
  } else {
    const theirs = lines.findIndex((line, i) => i > 0 && !isOurs(line));
    if (theirs > 0) google.edit({ deleteDimension: { range: row(theirs) } });
  }
}

/** Sorts by the key as a person would, if the sheet's tags follow (they do in Google's). */
export function reverse(google: FakeGoogle, tab: string): void {
  const { length } = google.values(tab);
  for (let i = 2; i < length; i += 1) google.edit({ moveDimension: { source: row(i), destinationIndex: 1 } });
}

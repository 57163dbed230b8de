/** What inserting, deleting and moving rows or columns does to an index, and to a span of them. */

export type Dimension = "ROWS" | "COLUMNS";

/** Indices are those before the change. */
export type AxisChange =
  | {
      readonly is: "insert";
      readonly dimension: Dimension;
      readonly at: number;
      readonly count: number;
    }
  | {
      readonly is: "delete";
      readonly dimension: Dimension;
      readonly start: number;
      readonly end: number;
    }
  | {
      readonly is: "move";
      readonly dimension: Dimension;
      readonly start: number;
      readonly end: number;
      readonly to: number;
    };

/** Where an index goes; undefined when it is deleted. */
export function moveIndex(change: AxisChange, index: number): number | undefined {
  switch (change.is) {
    case "insert":
      return index >= change.at ? index + change.count : index;
    case "delete":
      if (index >= change.end) return index - (change.end - change.start);
      return index >= change.start ? undefined : index;
    case "move": {
      const { start, end, to } = change;
      const count = end - start;
      if (index >= start && index < end) return to > start ? index + to - end : index + to - start;
      if (to >= end && index >= end && index < to) return index - count;
      if (to <= start && index >= to && index < start) return index + count;
      return index;
    }
  }
}

export interface Span {
  readonly start: number;
  readonly end: number;
}

/**
 * Where a half-open span goes. An insert inside it makes it grow, one at its first index pushes it; a delete shrinks it,
 * and undefined says that nothing is left. A move takes along the spans that lie wholly inside what moves.
 */
export function moveSpan(change: AxisChange, span: Span): Span | undefined {
  const { start, end } = span;
  if (change.is === "insert")
    return {
      start: start >= change.at ? start + change.count : start,
      end: end > change.at ? end + change.count : end,
    };
  if (change.is === "delete") {
    const gone = change.end - change.start;
    const left = (index: number): number =>
      index >= change.end ? index - gone : Math.min(index, change.start);
    return left(end) > left(start) ? { start: left(start), end: left(end) } : undefined;
  }
  const first = moveIndex(change, start);
  const last = moveIndex(change, end - 1);
  if (first === undefined || last === undefined || last - first !== end - 1 - start) return span;
  return { start: first, end: last + 1 };
}

export const counted = (dimension: Dimension): "row" | "column" =>
  dimension === "ROWS" ? "row" : "column";

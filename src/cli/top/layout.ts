/** Which rows there are, in which order, and how many of them have room. */
import type { ChildView, PlaceView } from "../../master/snapshot.ts";
import type { Line } from "../terminal/line.ts";
import { COLUMNS, type Row } from "./columns.ts";
import { flow, headerOf } from "./header.ts";
import type { Model } from "./model.ts";

export interface Layout {
  readonly header: readonly Line[];
  readonly rows: readonly Row[];
  /** Lines for rows. */
  readonly body: number;
  /** Rows above the first one shown; no more than there can be. */
  readonly scroll: number;
}

/** Of a small terminal the header takes no more than this share. */
const MOST_HEADER = 0.4;
/** The titles and the line at the bottom. */
const FIXED = 2;

export function layoutOf(model: Model): Layout {
  const { status, away, size } = model;
  const lines = status === undefined ? [] : flow(headerOf(status, away), size.columns);
  const header = lines.slice(0, Math.max(1, Math.floor(size.rows * MOST_HEADER)));
  const rows = rowsOf(model);
  const body = Math.max(0, size.rows - header.length - FIXED);
  return { header, rows, body, scroll: Math.max(0, Math.min(model.scroll, rows.length - body)) };
}

/** Places in the order asked for, workers before the others; what else is in a place stands below it. */
export function rowsOf({ status, rates, sort }: Model): readonly Row[] {
  if (status === undefined) return [];
  const row = (place: PlaceView, part: Row["part"], child: ChildView | null): Row => ({ place, part, child, rates, at: status.at });
  const value = COLUMNS.find(({ name }) => name === sort.by)?.value ?? (() => null);
  const main = status.places.map((place) => row(place, "main", place.child));
  const sorted = main.toSorted((a, b) => workersFirst(a, b) || byValue(value(a), value(b), sort.down) || a.place.slot - b.place.slot);
  return sorted.flatMap((first) => [
    first,
    ...(first.place.successor === null ? [] : [row(first.place, "next", first.place.successor)]),
    ...first.place.leaving.map((child) => row(first.place, "leaving", child)),
  ]);
}

const workersFirst = (a: Row, b: Row): number => Number(a.place.role !== "worker") - Number(b.place.role !== "worker");

function byValue(a: number | string | null, b: number | string | null, down: boolean): number {
  if (a === null || b === null) return Number(a === null) - Number(b === null);
  const order = typeof a === "number" && typeof b === "number" ? a - b : String(a).localeCompare(String(b), "en");
  return down ? -order : order;
}

/**
 * An export, a piece at a time. What one piece must know of the one before is in `Place`, and the rows stay as they are: so any thread can
 * make any piece, none is occupied by a slow client, and an export that nobody waits for any more costs nothing.
 */
import { impossible } from "../../base/never.ts";
import type { Timestamp } from "../../base/units.ts";
import type { Cell, Snapshot } from "../../sheets/snapshot.ts";
import { BYTE_ORDER_MARK, csvLine } from "./csv.ts";
import type { Format } from "./formats.ts";
import { columnName, SHEET_PATH, SHEET_TAIL, sheetHead, sheetRow, workbookParts } from "./xlsx.ts";
import { NOTHING, zipHead, zipPiece, zipTail, type Archive, type Flow } from "./zip.ts";

/** What an export is made of. */
export interface Job {
  readonly table: string;
  readonly format: Format;
  /** CSV with a byte order mark. */
  readonly mark: boolean;
  readonly asOf: Timestamp;
  /** Places of the rows in the table, in shared memory; undefined: rows `from` to `to` as they stand. */
  readonly order: Uint32Array | undefined;
  /** The first row and the one behind the last, as counted in `order`. */
  readonly from: number;
  readonly to: number;
}

/** Where the next piece begins. */
export interface Place {
  readonly row: number;
  readonly flow: Flow;
}

export interface Piece {
  readonly bytes: Uint8Array;
  /** undefined: this was the last. */
  readonly next: Place | undefined;
}

/** Characters of text that make a piece: about what a connection can hold, and a few ms of work. A row is never cut. */
const PIECE = 131_072;

export function makePiece(snapshot: Snapshot, job: Job, place: Place | undefined): Piece {
  switch (job.format) {
    case "csv":
      return csvPiece(snapshot, job, place);
    case "json":
      return jsonPiece(snapshot, job, place);
    case "xlsx":
      return xlsxPiece(snapshot, job, place);
    default:
      return impossible(job.format);
  }
}

const placeOf = (job: Job, i: number): number => (job.order === undefined ? i : (job.order[i] as number));

/** Goes on until the piece is full. @returns the row that the next one begins with. */
function fill({ to }: Job, from: number, add: (row: number) => number): number {
  let row = from;
  for (let size = 0; row < to && size < PIECE; row += 1) size += add(row);
  return row;
}

function cellsOf(snapshot: Snapshot, row: number): Cell[] {
  const values = snapshot.row(row) ?? {};
  return snapshot.columns.map(({ name }) => values[name] ?? null);
}

function csvPiece(snapshot: Snapshot, job: Job, place: Place | undefined): Piece {
  let text = place === undefined ? (job.mark ? BYTE_ORDER_MARK : "") + csvLine(snapshot.columns.map(({ name }) => name)) : "";
  const row = fill(job, place?.row ?? job.from, (i) => {
    const line = csvLine(cellsOf(snapshot, placeOf(job, i)));
    text += line;
    return line.length;
  });
  return { bytes: Buffer.from(text), next: row < job.to ? { row, flow: NOTHING } : undefined };
}

/** Rows are JSON already: they are copied. */
function jsonPiece(snapshot: Snapshot, job: Job, place: Place | undefined): Piece {
  const parts: Uint8Array[] = [Buffer.from(place === undefined ? "[" : "")];
  const row = fill(job, place?.row ?? job.from, (i) => {
    const bytes = snapshot.rowSlice(placeOf(job, i), placeOf(job, i) + 1);
    parts.push(...(i === job.from ? [] : [COMMA]), bytes);
    return bytes.byteLength;
  });
  if (row >= job.to) parts.push(Buffer.from("]"));
  return { bytes: Buffer.concat(parts), next: row < job.to ? { row, flow: NOTHING } : undefined };
}
const COMMA = Buffer.from(",");

/** @returns how long the JSON of these rows will be. */
export function jsonLength(snapshot: Snapshot, { order, from, to }: Pick<Job, "order" | "from" | "to">): number {
  if (order === undefined) return snapshot.rowSlice(from, to).byteLength + 2;
  let size = 2 + Math.max(0, to - from - 1);
  for (let i = from; i < to; i += 1) size += snapshot.rowSlice(order[i] as number, (order[i] as number) + 1).byteLength;
  return size;
}

function xlsxPiece(snapshot: Snapshot, job: Job, place: Place | undefined): Piece {
  const { columns } = snapshot;
  const letters = columns.map((_, i) => columnName(i));
  const archive: Archive = { parts: workbookParts(job.table), last: SHEET_PATH, at: job.asOf };
  let xml = place === undefined ? sheetHead(columns) : "";
  const row = fill(job, place?.row ?? job.from, (i) => {
    const added = sheetRow(i - job.from + 2, cellsOf(snapshot, placeOf(job, i)), columns, letters);
    xml += added;
    return added.length / 4; // so much smaller is what is sent
  });
  if (row >= job.to) xml += SHEET_TAIL;
  const { bytes, flow } = zipPiece(xml, place?.flow ?? NOTHING);
  const parts = [...(place === undefined ? [zipHead(archive)] : []), bytes, ...(row < job.to ? [] : [zipTail(archive, flow)])];
  return { bytes: Buffer.concat(parts), next: row < job.to ? { row, flow } : undefined };
}

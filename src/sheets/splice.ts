/** The next version of a snapshot, made of the one before and the rows that are new: bytes are moved, and next to nothing is parsed. */
import { runsOf, type Edit, type Run } from "./edits.ts";
import { HEADER, Snapshot, stamp, type Cell, type Parsed } from "./snapshot.ts";

export interface Splice {
  readonly edits: readonly Edit[];
  /** The rows that are new, under the same columns. */
  readonly added: Snapshot;
  readonly epoch: number;
  readonly version: number;
  /** Where the bytes are to be, for instance shared memory. */
  readonly allocate: (size: number) => ArrayBufferLike;
}

/** A run with its bytes: rows with commas between. */
interface Piece extends Run {
  readonly source: Snapshot;
  readonly bytes: Uint8Array;
}

const COMMA = 0x2c;
const shapeOf = ({ columns, key }: Snapshot): string => JSON.stringify([columns, key]);

/** @throws RangeError when the edits do not fit the rows, or the new rows have other columns. */
export function splice(base: Snapshot, { edits, added, epoch, version, allocate }: Splice): Snapshot {
  if (shapeOf(base) !== shapeOf(added)) throw new RangeError("the new rows have other columns");
  const runs = runsOf(edits, base.rowCount, added.rowCount);
  const pieces = runs.map((run): Piece => {
    const source = run.of === "before" ? base : added;
    return { ...run, source, bytes: source.rowSlice(run.from, run.to) };
  });
  const buffer = put(base, pieces, allocate);
  stamp(new Uint8Array(buffer), epoch, version);
  return new Snapshot(buffer, parsedOf(base, runs, { edits, added }));
}

/** Header and columns as they were, then where each row begins, then the rows. */
function put(base: Snapshot, pieces: readonly Piece[], allocate: Splice["allocate"]): ArrayBufferLike {
  const rows = pieces.reduce((sum, { from, to }) => sum + to - from, 0);
  const rowsLength = pieces.reduce((sum, { bytes }) => sum + bytes.length + 1, 0) - (pieces.length === 0 ? 0 : 1);
  const startsAt = base.starts.byteOffset;
  const rowsAt = startsAt + 4 * (rows + 1);
  const buffer = allocate(rowsAt + rowsLength);
  const all = new Uint8Array(buffer);
  all.set(new Uint8Array(base.buffer, 0, startsAt));
  const head = new DataView(buffer, 0, HEADER);
  head.setUint32(24, rows, true);
  head.setUint32(40, rowsLength, true);
  const starts = new Uint32Array(buffer, startsAt, rows + 1);
  let [row, at] = [0, 0];
  for (const { source, from, to, bytes } of pieces) {
    const shift = at - (source.starts[from] as number);
    starts.set(source.starts.subarray(from, to), row);
    if (shift !== 0) for (let i = row; i < row + to - from; i += 1) starts[i] = (starts[i] as number) + shift;
    row += to - from;
    all.set(bytes, rowsAt + at);
    at += bytes.length + 1;
    if (row < rows) all[rowsAt + at - 1] = COMMA;
  }
  starts[rows] = at;
  return buffer;
}

/** Columns that were parsed are not parsed again; the index goes on where no key has moved. */
function parsedOf(base: Snapshot, runs: readonly Run[], { edits, added }: Pick<Splice, "edits" | "added">): Parsed {
  const { values, index } = base.takeParsed();
  if (values === undefined) return { values: undefined, index: undefined };
  const spliced = new Map<string, readonly Cell[]>();
  for (const [name, before] of values) {
    const now = added.columnValues(name) ?? [];
    const cells: Cell[] = [];
    for (const { of, from, to } of runs) for (let i = from; i < to; i += 1) cells.push((of === "before" ? before : now)[i] as Cell);
    spliced.set(name, cells);
  }
  if (base.key === undefined) return { values: spliced, index: undefined };
  const keys = [values.get(base.key) ?? [], added.columnValues(base.key) ?? []] as const;
  return { values: spliced, index: index !== undefined && extend(index, edits, keys) ? index : undefined };
}

/** @returns false where a key has moved or gone: the index may have been changed, and is of no use any more. */
function extend(index: Map<string, number>, edits: readonly Edit[], [before, now]: readonly [readonly Cell[], readonly Cell[]]): boolean {
  let nr = 0;
  for (const [at, gone, added] of edits) {
    if (added < gone || (added > gone && at + gone < before.length)) return false;
    for (let i = 0; i < added; i += 1) {
      const key = String(now[nr + i]);
      if (i < gone && String(before[at + i]) !== key) return false;
      if (i >= gone && !index.has(key)) index.set(key, at + i);
    }
    nr += added;
  }
  return true;
}

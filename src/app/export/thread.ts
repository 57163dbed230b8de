/** The work of a pool's thread for exports. Both functions are named to piscina. */
import { keptSnapshot } from "../query/kept.ts";
import type { Query } from "../query/model.ts";
import { selectRows } from "../query/page.ts";
import { rowsOf } from "../query/rows.ts";
import { jsonLength, makePiece, type Job, type Piece, type Place } from "./pieces.ts";

/** Where the rows are: a snapshot's bytes in shared memory. */
export interface Shared {
  readonly hash: string;
  readonly bytes: ArrayBufferLike;
}

export interface SelectTask extends Shared {
  readonly query: Query;
}

/** Which rows an export has. */
export interface Selected extends Pick<Job, "order" | "from" | "to"> {
  /** Bytes of it as JSON. */
  readonly jsonBytes: number;
}

/** Filters and sorts; what it found is in shared memory, so that it can be handed to every piece. */
export function select({ hash, bytes, query }: SelectTask): Selected {
  const snapshot = keptSnapshot(hash, bytes);
  const { order: found, start } = selectRows(rowsOf(snapshot, hash), query);
  const wanted = found.subarray(start, start + query.limit);
  const order = new Uint32Array(new SharedArrayBuffer(wanted.byteLength));
  order.set(wanted);
  const selected = { order, from: 0, to: order.length };
  return { ...selected, jsonBytes: jsonLength(snapshot, selected) };
}

export interface PieceTask extends Shared {
  readonly job: Job;
  readonly place: Place | undefined;
}

export function piece({ hash, bytes, job, place }: PieceTask): Piece {
  const made = makePiece(keptSnapshot(hash, bytes), job, place);
  return { ...made, bytes: Uint8Array.from(made.bytes) }; // a Buffer of its own: a small one would take its whole pool along
}

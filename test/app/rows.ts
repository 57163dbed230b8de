/** Snapshots for tests, made by the broker's own encoder. */
import { encodeSnapshot, Snapshot, type Cell, type VisibleColumn } from "../../src/sheets/snapshot.ts";

export interface Encoded {
  readonly bytes: SharedArrayBuffer;
  readonly hash: string;
}

/** The first column is the key, unless another is named. */
export function encode(columns: readonly VisibleColumn[], rows: readonly (readonly Cell[])[], key = 0): Encoded {
  const { bytes, hash } = encodeSnapshot({ columns, key, rows });
  const shared = new SharedArrayBuffer(bytes.byteLength);
  new Uint8Array(shared).set(bytes);
  return { bytes: shared, hash };
}

export const snapshotOf = ({ bytes }: Encoded): Snapshot => new Snapshot(bytes);

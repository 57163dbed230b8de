/**
 * From one version of a table to the next, in what differs: a write changes a row of thousands, and neither the broker nor the workers
 * are to go through all of them for it. Pure.
 */
import { editsBetween, type Step } from "../sheets/edits.ts";
import { encodeSnapshot, hashOf, Snapshot, type Content } from "../sheets/snapshot.ts";
import { splice } from "../sheets/splice.ts";

/** Rows, and the snapshot that was made of them. */
export interface Drawn {
  readonly content: Content;
  readonly snapshot: Snapshot;
}

/** A snapshot's bytes with a buffer of their own, and the content's hash. */
interface Encoded {
  readonly snapshot: Snapshot;
  readonly bytes: Uint8Array;
  readonly hash: string;
  /** How it came about, unless all was encoded anew. */
  readonly edited?: Edited;
}

type Edited = Pick<Step, "edits" | "added">;

/** So many steps are kept for clients that are behind, and so much of them: all rows at once cost those less. */
const MOST_STEPS = 64;
const LEAST_BYTES = 65_536;
const LARGEST_PART = 0.25;

const sizeOf = ({ edits, added }: Edited): number => added.length + 30 * edits.length;

function encodeAll(content: Content): Encoded {
  const { bytes, hash } = encodeSnapshot(content);
  return { snapshot: new Snapshot(bytes.buffer), bytes, hash };
}

/** @param drawn what was encoded last. @param content what is to be seen now: rows that are the very arrays of last time are moved, not encoded. */
export function encodeNext(drawn: Drawn | undefined, content: Content): Encoded {
  if (drawn?.content.columns !== content.columns || drawn.content.key !== content.key) return encodeAll(content);
  const { edits, rows } = editsBetween(drawn.content.rows, content.rows);
  const added = encodeSnapshot({ ...content, rows }).bytes;
  if (sizeOf({ edits, added }) > Math.max(LEAST_BYTES, LARGEST_PART * drawn.snapshot.buffer.byteLength)) return encodeAll(content);
  const allocate = (size: number): ArrayBuffer => new ArrayBuffer(size);
  const snapshot = splice(drawn.snapshot, { edits, added: new Snapshot(added.buffer), epoch: 0, version: 0, allocate });
  const bytes = new Uint8Array(snapshot.buffer);
  return { snapshot, bytes, hash: hashOf(bytes), edited: { edits, added } };
}

/** @param size of the table's bytes. @returns the steps with one more; the oldest go where they are many. */
export function withStep(steps: readonly Step[], step: Step, size: number): readonly Step[] {
  const all = [...steps, step].slice(-MOST_STEPS);
  const most = Math.max(LEAST_BYTES, LARGEST_PART * size);
  let bytes = 0;
  const first = all.findLastIndex((each) => (bytes += sizeOf(each)) > most);
  return all.slice(first + 1);
}

/** @returns the steps that lead from a version to the newest, none when it is the newest; undefined: they are not known. */
export function stepsSince(steps: readonly Step[], version: number, newest: number): readonly Step[] | undefined {
  if (version === newest) return [];
  const first = steps.findIndex(({ from }) => from === version);
  return first < 0 ? undefined : steps.slice(first);
}

/**
 * Room for what empties the journal, taken before any write is acknowledged: a file that goes when the disk is full. What was
 * accepted can then still be sent and settled; nothing more is accepted until the file is there again.
 */
import { randomFillSync } from "node:crypto";
import { closeSync, openSync, rmSync, statfsSync, statSync, writeSync } from "node:fs";
import { join } from "node:path";
import { mebibytes } from "../../base/units.ts";

export const RESERVE = "journal.reserve";
/**
 * Bytes: moving a WAL of a third of it and of one commit (4 MiB) into the database may make that one grow as much, before the WAL
 * can be cut; then a batch (1 MB) is sealed and settled.
 */
export const SIZE = mebibytes(12);
/** Of the file system, at most. */
const PART = 1 / 4;
const CHUNK = mebibytes(1);

export class Reserve {
  readonly #path: string;
  readonly #dir: string;
  /** In bytes. */
  readonly size: number;
  /** Bytes of a WAL that this room is enough for. */
  readonly wal: number;
  #isWhole: boolean;

  /** @param most bytes of it. */
  constructor(dir: string, most: number) {
    this.#dir = dir;
    this.#path = join(dir, RESERVE);
    const { blocks, bsize } = statfsSync(dir);
    const part = blocks === 0 ? Infinity : blocks * bsize * PART; // 0: a file system without a limit, such as a tmpfs of size=0
    this.size = Math.floor(Math.min(most, part));
    this.wal = Math.floor(Math.min(SIZE, part) / 3);
    this.#isWhole = (statSync(this.#path, { throwIfNoEntry: false })?.size ?? 0) >= this.size;
  }

  get isWhole(): boolean {
    return this.#isWhole;
  }

  /** Free bytes of the file system; none where it can't tell. */
  get free(): number {
    try {
      const { blocks, bavail, bsize } = statfsSync(this.#dir);
      return blocks === 0 ? Infinity : bavail * bsize;
    } catch {
      return 0; // what the disk lacks is said by the next commit
    }
  }

  /** Makes room. @returns false: there was none to make. */
  give(): boolean {
    try {
      const { size } = statSync(this.#path, { throwIfNoEntry: false }) ?? { size: 0 };
      rmSync(this.#path, { force: true });
      this.#isWhole = false;
      return size > 0;
    } catch {
      return false; // the disk fails: so does what the room is wanted for, and says why
    }
  }

  /** Takes the room, if that leaves some. @returns whether it is whole. */
  take(): boolean {
    if (this.#isWhole || this.free < 1.5 * this.size) return this.#isWhole;
    try {
      const chunk = randomFillSync(Buffer.alloc(CHUNK)); // zeros may take no room where the file system compresses
      const file = openSync(this.#path, "w", 0o600);
      try {
        for (let at = 0; at < this.size;) at += writeSync(file, chunk, 0, Math.min(CHUNK, this.size - at));
      } finally {
        closeSync(file);
      }
      this.#isWhole = true;
    } catch {
      this.give(); // another program took the space first: it is tried again
    }
    return this.#isWhole;
  }
}

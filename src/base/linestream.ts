import { close, fstatSync, mkdirSync, openSync, write, writeSync } from "node:fs";
import { dirname } from "node:path";
import { errnoOf, messageOf } from "./errors.ts";
import type { LogTarget, Lost } from "./logfile.ts";

/** Many small lines that may wait a moment (access lines), in few writes that nothing waits for. */
export interface LineStream {
  /**
   * Takes one whole line, with its line feed. Never blocks and never throws: what a slow disk leaves no room for is counted, and told of later.
   * @param soon at the end of this turn of the loop, instead of with the next batch.
   */
  push(line: string, soon?: boolean): void;
  /** From now on into the file that bears the name now. */
  reopen(): void;
  /** Resolves when all that was pushed before has been written, or lost and told of. */
  flushed(): Promise<void>;
  /** Writes what is held, before it returns: for the process's end. */
  end(): void;
}

/** What it asks of the system; another for a test of a slow disk. */
export interface LineIo {
  write(fd: number, bytes: Buffer, done: (error: NodeJS.ErrnoException | null, written: number) => void): void;
}

const SYSTEM: LineIo = { write: (fd, bytes, done) => write(fd, bytes, 0, bytes.length, null, done) };

/** A batch is written when it is so large or so old. */
const BATCH = 65_536;
const EVERY_MS = 100;
/** Characters that are held while the disk does not take them: beyond, lines are lost. */
const MOST = 4_194_304;
/** POSIX PIPE_BUF on Linux: so much of a pipe's bytes no other process's stand between. */
const PIECE = 4_096;
/** A pipe that is full for the moment is tried again. */
const AGAIN_MS = 5;
/** At the process's end a write under way has so long to be taken, so that what follows it stands behind it. */
const LAST_MS = 50;
const LINE_FEED = 10;
const still = new Int32Array(new SharedArrayBuffer(4));

/**
 * Appends to the same file as the log, through a descriptor of its own: opened at the first line, closed when no write is under way in it.
 * @param tell makes the line that says what was lost.
 */
export function openLineStream(target: LogTarget, tell: (lost: Lost) => string, io: LineIo = SYSTEM): LineStream {
  return new Lines(target, tell, io);
}

class Lines implements LineStream {
  readonly #place: Place;
  readonly #tell: (lost: Lost) => string;
  readonly #io: LineIo;
  #held = "";
  #lines = 0;
  #lost: Lost | undefined;
  #timer: NodeJS.Timeout | undefined;
  #soon = false;
  /** The last write was cut within a line: what follows must not end it. */
  #torn = false;
  /** What is on its way, and what of it has not gone yet. */
  #writing: Batch | undefined;
  #idle = Promise.withResolvers<void>();

  constructor(target: LogTarget, tell: (lost: Lost) => string, io: LineIo) {
    this.#place = new Place(target);
    this.#tell = tell;
    this.#io = io;
  }

  push(line: string, soon = false): void {
    if (this.#held.length + line.length > MOST) return this.#lose(1, "the disk does not keep up");
    this.#held += line;
    this.#lines += 1;
    if (this.#writing !== undefined) return; // what is held goes when that has gone
    if (this.#held.length >= BATCH) this.#flush();
    else if (soon && !this.#soon) {
      this.#soon = true;
      setImmediate(() => this.#flush());
    } else this.#timer ??= setTimeout(() => this.#flush(), EVERY_MS).unref();
  }

  reopen(): void {
    this.#place.leave(this.#writing !== undefined);
  }

  flushed(): Promise<void> {
    this.#flush();
    return this.#writing === undefined ? Promise.resolve() : this.#idle.promise;
  }

  end(): void {
    if (this.#writing !== undefined) Atomics.wait(still, 0, 0, LAST_MS);
    this.#writing = undefined;
    const batch = this.#take();
    if (batch === undefined) return;
    try {
      const fd = this.#place.fd();
      while (batch.left.length > 0) batch.left = batch.left.subarray(writeSync(fd, this.#piece(batch)));
    } catch {
      // the process ends, and this was the place where it could be said
    }
  }

  #flush(): void {
    if (this.#writing !== undefined) return;
    const batch = this.#take();
    if (batch === undefined) return;
    this.#writing = batch;
    this.#write(batch);
  }

  #take(): Batch | undefined {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#soon = false;
    if (this.#held === "" && this.#lost === undefined) return undefined;
    const text = `${this.#torn ? "\n" : ""}${this.#lost === undefined ? "" : this.#tell(this.#lost)}${this.#held}`;
    const whole = Buffer.from(text);
    const batch: Batch = { whole, left: whole, lines: this.#lines + (this.#lost?.lines ?? 0) };
    this.#torn = false;
    this.#held = "";
    this.#lines = 0;
    this.#lost = undefined;
    return batch;
  }

  #write(batch: Batch): void {
    let fd: number;
    try {
      fd = this.#place.fd();
    } catch (error) {
      return this.#over(batch, error);
    }
    this.#io.write(fd, this.#piece(batch), (error, written) => {
      if (this.#writing !== batch) return; // the process has come to its end meanwhile
      if (error?.code === "EAGAIN") return void setTimeout(() => this.#write(batch), AGAIN_MS).unref();
      if (error !== null) return this.#over(batch, error);
      batch.left = batch.left.subarray(written);
      if (batch.left.length > 0) this.#write(batch);
      else this.#over(batch);
    });
  }

  /** For a pipe, whole lines of at most PIECE bytes. */
  #piece({ left }: Batch): Buffer {
    if (!this.#place.pipe || left.length <= PIECE) return left;
    const end = left.lastIndexOf(LINE_FEED, PIECE - 1) + 1;
    return left.subarray(0, end > 0 ? end : left.indexOf(LINE_FEED) + 1);
  }

  #over(batch: Batch, error?: unknown): void {
    this.#writing = undefined;
    if (error !== undefined) this.#failed(batch, errnoOf(error) ?? messageOf(error));
    this.#place.tidy();
    const failed = error !== undefined;
    if (this.#held !== "" && !failed) return this.#flush();
    if (this.#held !== "") this.#timer ??= setTimeout(() => this.#flush(), EVERY_MS).unref();
    this.#idle.resolve();
    this.#idle = Promise.withResolvers();
  }

  #failed({ whole, left, lines }: Batch, why: string): void {
    const cut = whole.length - left.length;
    this.#torn = cut === 0 ? whole[0] === LINE_FEED : whole[cut - 1] !== LINE_FEED; // it began with the line feed that a torn line lacks
    this.#lose(cut === 0 ? lines : left.filter((byte) => byte === LINE_FEED).length, why);
  }

  #lose(lines: number, why: string): void {
    this.#lost = { lines: (this.#lost?.lines ?? 0) + lines, why };
  }
}

/** Bytes on their way, and what of them has not gone yet. */
interface Batch {
  readonly whole: Buffer;
  left: Buffer;
  /** How many are lost with it, those that it tells of included. */
  readonly lines: number;
}

/** Where the lines go: its descriptor, which is never closed while a write is under way in it. */
class Place {
  readonly #target: LogTarget;
  #fd: number | undefined;
  #pipe = false;
  readonly #left: number[] = [];

  constructor(target: LogTarget) {
    this.#target = target;
  }

  /** It is no file: what others write there may come between. */
  get pipe(): boolean {
    return this.#pipe;
  }

  /** @throws Error with `code` when the file can't be opened. */
  fd(): number {
    if (this.#fd !== undefined) return this.#fd;
    if ("file" in this.#target) {
      mkdirSync(dirname(this.#target.file), { recursive: true, mode: 0o750 });
      this.#fd = openSync(this.#target.file, "a", 0o640);
    } else this.#fd = this.#target.fd;
    this.#pipe = !fstatSync(this.#fd).isFile();
    return this.#fd;
  }

  leave(busy: boolean): void {
    if (!("file" in this.#target) || this.#fd === undefined) return;
    this.#left.push(this.#fd);
    this.#fd = undefined;
    if (!busy) this.tidy();
  }

  tidy(): void {
    for (const fd of this.#left.splice(0)) close(fd, () => {}); // nothing was buffered in it: there is nothing to fail
  }
}

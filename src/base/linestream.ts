import { close, fstatSync, write, writeSync } from "node:fs";
import { errnoOf, messageOf } from "./errors.ts";
import { makeLogFolder, openToAppend, type LogTarget, type Lost } from "./logfile.ts";

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
/** Full batches that are held while the disk does not take them, 4 MiB: beyond, lines are lost. */
const MOST = 64;
/** Bytes that one UTF-16 unit takes in UTF-8. */
const WIDEST = 3;
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
  /** What is held: bytes at once, since a string of many pieces is copied again and again until it is written. */
  #open = newBatch();
  #full: Batch[] = [];
  /** One that was written and may be filled again. */
  #spare: Batch | undefined;
  #lost: Lost | undefined;
  #timer: NodeJS.Timeout | undefined;
  #soon = false;
  /** The last write was cut within a line: what follows must not end it. */
  #torn = false;
  #writing: Batch | undefined;
  #idle = Promise.withResolvers<void>();

  constructor(target: LogTarget, tell: (lost: Lost) => string, io: LineIo) {
    this.#place = new Place(target);
    this.#tell = tell;
    this.#io = io;
  }

  push(line: string, soon = false): void {
    if (this.#open.end + line.length * WIDEST > BATCH && !this.#seal(line)) return;
    const { bytes, end } = this.#open;
    this.#open.end = end + bytes.write(line, end);
    this.#open.lines += 1;
    if (this.#writing !== undefined) return; // what is held goes when that has gone
    if (this.#full.length > 0) this.#flush();
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
    try {
      const fd = this.#place.fd();
      for (let batch = this.#take(); batch !== undefined; batch = this.#take())
        while (batch.start < batch.end) batch.start += writeSync(fd, this.#piece(batch));
    } catch {
      // the process ends, and this was the place where it could be said
    }
  }

  /** @returns false when there is no room: the line is lost. */
  #seal(line: string): boolean {
    if (this.#full.length >= MOST || line.length * WIDEST > BATCH) {
      this.#lose(1, this.#full.length >= MOST ? "the disk does not keep up" : "it is too long");
      return false;
    }
    this.#full.push(this.#open);
    this.#open = this.#spare ?? newBatch();
    this.#spare = undefined;
    return true;
  }

  #flush(): void {
    if (this.#writing !== undefined) return;
    const batch = this.#take();
    if (batch === undefined) return;
    this.#writing = batch;
    this.#write(batch);
  }

  /** The next that is to be written; what was lost is told of before it. */
  #take(): Batch | undefined {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#soon = false;
    const lost = this.#lost;
    if (lost !== undefined) {
      this.#lost = undefined;
      const bytes = Buffer.from(`${this.#torn ? "\n" : ""}${this.#tell(lost)}`);
      this.#torn = false;
      return { bytes, start: 0, end: bytes.length, lines: lost.lines };
    }
    const full = this.#full.shift();
    if (full !== undefined || this.#open.end === 0) return full;
    const batch = this.#open;
    this.#open = this.#spare ?? newBatch();
    this.#spare = undefined;
    return batch;
  }

  #write(batch: Batch): void {
    let fd: number;
    try {
      fd = this.#place.fd();
    } catch (error) {
      return this.#failed(batch, error);
    }
    this.#io.write(fd, this.#piece(batch), (error, written) => {
      if (this.#writing !== batch) return; // the process has come to its end meanwhile
      if (error?.code === "EAGAIN") return void setTimeout(() => this.#write(batch), AGAIN_MS).unref();
      if (error !== null) return this.#failed(batch, error);
      batch.start += written;
      if (batch.start < batch.end) this.#write(batch);
      else this.#done(batch);
    });
  }

  /** For a pipe, whole lines of at most PIECE bytes. */
  #piece({ bytes, start, end }: Batch): Buffer {
    const left = bytes.subarray(start, end);
    if (!this.#place.pipe || left.length <= PIECE) return left;
    const cut = left.lastIndexOf(LINE_FEED, PIECE - 1) + 1;
    return left.subarray(0, cut > 0 ? cut : left.indexOf(LINE_FEED) + 1);
  }

  #done(batch: Batch): void {
    this.#writing = undefined;
    this.#place.tidy();
    if (batch.bytes.length === BATCH) this.#spare = Object.assign(batch, { start: 0, end: 0, lines: 0 });
    if (this.#open.end > 0 || this.#full.length > 0 || this.#lost !== undefined) return this.#flush();
    this.#rest();
  }

  /** The rest of it is lost; what is held meanwhile is tried a moment later. */
  #failed({ bytes, start, end, lines }: Batch, error: unknown): void {
    this.#writing = undefined;
    this.#place.tidy();
    this.#torn = start === 0 ? bytes[0] === LINE_FEED : bytes[start - 1] !== LINE_FEED; // it began with the line feed that a torn line lacks
    const gone = start === 0 ? lines : bytes.subarray(start, end).filter((byte) => byte === LINE_FEED).length;
    this.#lose(gone, errnoOf(error) ?? messageOf(error));
    if (this.#open.end > 0 || this.#full.length > 0) this.#timer ??= setTimeout(() => this.#flush(), EVERY_MS).unref();
    this.#rest();
  }

  #rest(): void {
    this.#idle.resolve();
    this.#idle = Promise.withResolvers();
  }

  #lose(lines: number, why: string): void {
    this.#lost = { lines: (this.#lost?.lines ?? 0) + lines, why };
  }
}

/** Bytes from `start` to `end` are still to be written. */
interface Batch {
  readonly bytes: Buffer;
  start: number;
  end: number;
  /** How many are lost with it. */
  lines: number;
}

const newBatch = (): Batch => ({ bytes: Buffer.allocUnsafeSlow(BATCH), start: 0, end: 0, lines: 0 });

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
      makeLogFolder(this.#target.file);
      this.#fd = openToAppend(this.#target.file);
    } else this.#fd = this.#target.fd;
    this.#pipe = !fstatSync(this.#fd).isFile();
    return this.#fd;
  }

  /** Into the file that bears the name now; the old one stays when that can't be opened: the log says so. */
  leave(busy: boolean): void {
    if (!("file" in this.#target) || this.#fd === undefined) return;
    let fresh: number;
    try {
      makeLogFolder(this.#target.file);
      fresh = openToAppend(this.#target.file);
    } catch {
      return;
    }
    this.#left.push(this.#fd);
    this.#fd = fresh;
    if (!busy) this.tidy();
  }

  tidy(): void {
    for (const fd of this.#left.splice(0)) close(fd, () => {}); // nothing was buffered in it: there is nothing to fail
  }
}

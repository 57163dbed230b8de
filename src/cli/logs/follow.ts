/**
 * Follows a file by its name, as `tail -F` does: through a rename (the new file of that name is read from its start, and the old one for as
 * long as processes that have not opened the new one yet may write to it), through a cut (copytruncate), and while there is none.
 */
import { open, stat, type FileHandle } from "node:fs/promises";
import { errnoOf } from "../../base/errors.ts";
import { ms, type Ms } from "../../base/units.ts";
import { Lines } from "./lines.ts";

const LOOK_EVERY = 200;
/** A rotated file is read for so long: every process opens the new one when the master tells it to. */
const LINGER = ms(5_000);
const BLOCK = 65_536;
/** What stood before the place that was read up to, to see whether it is still the same file: it may be cut and grow again between two looks. */
const MARK = 64;

export class FollowedFile {
  readonly #file: FileHandle;
  readonly #lines = new Lines();
  #position: number;
  #mark: Buffer = Buffer.alloc(0);

  constructor(file: FileHandle, position: number) {
    this.#file = file;
    this.#position = position;
  }

  /** @throws Error with `code` when it can't be opened. */
  static async open(path: string, from: (file: FileHandle, size: number) => Promise<number>): Promise<FollowedFile> {
    const file = await open(path, "r");
    try {
      const { size } = await file.stat();
      const position = await from(file, size);
      const followed = new FollowedFile(file, position);
      await followed.#remember();
      return followed;
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  /** Lines that are whole now; `block` by block, so that an old log of any size takes no memory. */
  async *read(): AsyncGenerator<readonly string[]> {
    const block = Buffer.alloc(BLOCK);
    for (;;) {
      const { bytesRead } = await this.#file.read(block, 0, BLOCK, this.#position);
      const { size } = await this.#file.stat();
      // Looked at after the reading: a cut between the two would pass for what was appended.
      if (size < this.#position || (bytesRead > 0 && !(await this.#isSame()))) {
        this.#position = 0;
        this.#mark = Buffer.alloc(0);
        yield this.#lines.rest();
        continue;
      }
      if (bytesRead === 0) return;
      this.#position += bytesRead;
      const read = block.subarray(0, bytesRead);
      this.#mark = Buffer.concat([this.#mark, read.subarray(-MARK)]).subarray(-MARK);
      yield this.#lines.take(read);
    }
  }

  /** What no line feed will end any more. */
  rest(): readonly string[] {
    return this.#lines.rest();
  }

  async is(path: string): Promise<boolean> {
    const [own, named] = [await this.#file.stat(), await stat(path)];
    return own.ino === named.ino && own.dev === named.dev;
  }

  async close(): Promise<void> {
    await this.#file.close();
  }

  async #remember(): Promise<void> {
    const length = Math.min(MARK, this.#position);
    const mark = Buffer.alloc(length);
    await this.#file.read(mark, 0, length, this.#position - length);
    this.#mark = mark;
  }

  async #isSame(): Promise<boolean> {
    const { length } = this.#mark;
    const now = Buffer.alloc(length);
    await this.#file.read(now, 0, length, this.#position - length);
    return now.equals(this.#mark);
  }
}

export interface Following {
  /** Where the first file is begun. */
  from(file: FileHandle, size: number): Promise<number>;
  /** What it returns is waited for. */
  show(lines: readonly string[]): void | Promise<void>;
  /** The file is not there, or can't be read; called once each time. */
  missing(why: string): void;
  readonly ended: AbortSignal;
  /** How long a rotated file is read. */
  readonly linger?: Ms;
}

/** Until `ended`. */
export async function follow(path: string, { from, show, missing, ended, linger = LINGER }: Following): Promise<void> {
  let current: FollowedFile | undefined;
  let said = false;
  let begin = from;
  const leaving: { readonly file: FollowedFile; readonly until: number }[] = [];
  const take = async (file: FollowedFile): Promise<void> => {
    for await (const lines of file.read()) {
      await show(lines);
      if (ended.aborted) return;
    }
  };
  while (!ended.aborted) {
    if (current === undefined) {
      current = await FollowedFile.open(path, begin).catch((error: unknown) => {
        if (!said) missing(errnoOf(error) ?? String(error));
        said = true;
        return undefined;
      });
      begin = async () => 0;
      if (current !== undefined) said = false;
    }
    for (const { file } of leaving) await take(file);
    if (current !== undefined) await take(current);
    while (leaving[0] !== undefined && performance.now() > leaving[0].until) {
      const { file } = leaving.shift() as (typeof leaving)[number];
      await show(file.rest());
      await file.close();
    }
    const stays = current === undefined || (await current.is(path).catch(() => true)); // no file of that name: the old one goes on
    if (!stays && current !== undefined) {
      leaving.push({ file: current, until: performance.now() + linger });
      current = undefined;
    } else await pause(ended);
  }
  for (const file of [...leaving.map(({ file: left }) => left), ...(current === undefined ? [] : [current])]) await file.close();
}

function pause(ended: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(done, LOOK_EVERY);
    ended.addEventListener("abort", done, { once: true });
    function done(): void {
      clearTimeout(timer);
      ended.removeEventListener("abort", done);
      resolve();
    }
  });
}

/**
 * The emulator's memory of what it has acknowledged. The engine holds the state; the store appends every call that
 * changed it to a journal and answers when that is on disk. Calls that arrive while the disk is busy share its next
 * flush (group commit). When the journal has grown, a snapshot of the engine replaces it.
 *
 *   engine.call ─ mutated ─→ commit ─→ queue ─→ one write + fdatasync ─→ answered      start: snapshot, then journal
 */
import { mkdir, type FileHandle } from "node:fs/promises";
import { DroverError } from "../../base/errors.ts";
import type { Logger } from "../../base/log.ts";
import { storageError } from "../../base/storage.ts";
import type { Engine, EngineAnswer, EngineCall } from "./engine.types.ts";
import {
  journalPath,
  openJournal,
  quarantine,
  readOptional,
  readSnapshot,
  writeSnapshot,
  type Snapshot,
} from "./files.ts";
import { readJournal, type Entry, type Reading } from "./journal.ts";
import { LIMITS } from "./limits.ts";
import { JournalWriter } from "./writer.ts";

export interface StoreOptions {
  readonly dir: string;
  readonly engine: (dump?: unknown) => Engine;
  readonly log: Logger;
  /** The journal's size that calls for a snapshot. */
  readonly logBytes?: number;
  /** The disk refused: nothing can be acknowledged any more. Called once. */
  readonly onFailure: (error: Error) => void;
}

/** The engine as the disk knows it: snapshot, then the journal's changes that are newer. */
function rebuild(
  make: StoreOptions["engine"],
  snapshot: Snapshot | undefined,
  entries: readonly Entry[],
): { engine: Engine; seq: number } {
  const engine = make(snapshot?.state);
  let seq = snapshot?.seq ?? 0;
  for (const entry of entries) {
    if (entry.seq <= seq) continue; // a crash between the snapshot and the journal's truncation
    if (entry.seq !== seq + 1)
      throw new DroverError(
        "DROVER_E_DATA_DIR",
        `the emulator's journal begins at change ${entry.seq}, its state ends at ${seq}: a file is missing`,
      );
    engine.call(entry.call);
    ({ seq } = entry);
  }
  return { engine, seq };
}

export class Store {
  readonly #options: StoreOptions;
  readonly #writer: JournalWriter;
  #engine: Engine;
  /** Counts the changes since the first start. */
  #seq: number;
  /** Why no call is taken any more. */
  #refusal: DroverError | undefined;
  #closed: Promise<void> | undefined;

  private constructor(
    options: StoreOptions,
    state: { engine: Engine; seq: number },
    file: FileHandle,
    bytes: number,
  ) {
    this.#options = options;
    this.#engine = state.engine;
    this.#seq = state.seq;
    this.#writer = new JournalWriter(file, bytes, {
      snapshot: () => writeSnapshot(options.dir, { seq: this.#seq, state: this.#engine.dump() }),
      most: options.logBytes ?? LIMITS.logBytes,
      failed: (error) => this.#fail(error),
    });
  }

  /** Reads what is there, repairs what a crash left. @throws DroverError when the directory can't be used or its state is damaged. */
  static async open(options: StoreOptions): Promise<Store> {
    const { dir, log } = options;
    try {
      await mkdir(dir, { recursive: true, mode: 0o700 });
      const bytes = readOptional(journalPath(dir)) ?? Buffer.alloc(0);
      const reading = readJournal(bytes);
      const state = rebuild(options.engine, readSnapshot(dir), reading.entries);
      report(reading, bytes, dir, log);
      return new Store(options, state, await openJournal(dir, reading.good), reading.good);
    } catch (error) {
      if (error instanceof DroverError) throw error;
      throw storageError(`can't use ${dir} for the emulator's data`, error);
    }
  }

  /**
   * Carries out one call in memory.
   * @returns the engine's answer and, when something was changed or earlier changes are still on their way to the disk, the
   * promise after which it may be given: no one is shown what a crash could take back.
   * @throws DroverError once the disk has failed or the store closes; whatever the engine throws, after its state has been restored.
   */
  call(call: EngineCall): { answer: EngineAnswer; durable: Promise<void> | undefined } {
    if (this.#refusal !== undefined) throw this.#refusal;
    let answer: EngineAnswer;
    try {
      answer = this.#engine.call(call);
    } catch (error) {
      this.#restore(); // it may have stopped half-way
      throw error;
    }
    return {
      answer,
      durable: answer.mutated
        ? this.#writer.append({ seq: (this.#seq += 1), call })
        : this.#writer.settled(),
    };
  }

  /** Changes the engine outside its API (seeding), and does not return before that is on disk. */
  async change(change: (engine: Engine) => void): Promise<void> {
    change(this.#engine);
    await this.#writer.compact();
  }

  /** Takes no further call, and ends after the last change is on disk. The next start needs no replay. */
  close(): Promise<void> {
    this.#refusal ??= new DroverError("DROVER_E_UPSTREAM", "the emulator is closing");
    return (this.#closed ??= this.#writer.close());
  }

  /** After a failed write or fsync what the file holds is unknown (fsyncgate, 2018): all is refused from then on. */
  #fail(error: unknown): DroverError {
    this.#refusal = storageError(`the emulator can't write ${this.#options.dir}`, error, {
      advice: "Fix its permissions, then restart",
    });
    this.#options.onFailure(this.#refusal);
    return this.#refusal;
  }

  /** The engine as disk and queue know it. */
  #restore(): void {
    const { dir, engine } = this.#options;
    const written = readJournal(readOptional(journalPath(dir)) ?? Buffer.alloc(0)).entries;
    const last = written.at(-1)?.seq ?? 0;
    const unwritten = this.#writer.unsettled().filter((entry) => entry.seq > last);
    ({ engine: this.#engine } = rebuild(engine, readSnapshot(dir), [...written, ...unwritten]));
  }
}

function report(reading: Reading, bytes: Buffer, dir: string, log: Logger): void {
  const path = journalPath(dir);
  const lost = bytes.length - reading.good;
  if (reading.rest === "torn")
    log.warn(
      { path, bytes: lost },
      "dropped the journal's torn tail: a write that was never acknowledged",
    );
  if (reading.rest !== "corrupt") return;
  const aside = quarantine(path, bytes.subarray(reading.good), new Date());
  log.error(
    { path, bytes: lost, aside, good: reading.entries.length },
    `${path} is corrupt in the middle: the state ends there; the rest is kept in ${aside}`,
  );
}

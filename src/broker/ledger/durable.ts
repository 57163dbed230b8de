/**
 * Brings the ledger's facts to disk, and says when they are there. Nothing counts as saved before its transaction has committed.
 *
 *   closed ─ open ─→ opening ─ opened and read ─→ open ─ changed ─ MOMENT ─→ written ─→ open
 *                     │   ↑                        ↑                    │
 *                     └───┘ failed: backs off      └─ backs off: failed ┘
 *
 * A write that failed is repeated with all that has changed since; what waits for it goes on waiting. A file that can't be opened is
 * tried again. Both back off up to 5 s.
 */
import { messageOf } from "../../base/errors.ts";
import type { Logger } from "../../base/log.ts";
import { ms, seconds, type Ms } from "../../base/units.ts";
import { backoff } from "../backoff.ts";
import { keepNothing, type Fact, type Kept } from "./kept.ts";

/** What is kept in memory, and what of it is not on disk. */
export interface Source {
  /** Takes over what the file holds. @throws when it can't be read. */
  load(kept: Kept): void;
  /** Facts that are not on disk as they are in memory. */
  unsaved(): readonly Fact[];
  /** What `unsaved` returned last is on disk. */
  saved(): void;
}

export interface DurableOptions {
  /** @throws when the disk refuses. */
  readonly open: () => Kept;
  readonly log: Logger;
  readonly source: Source;
  /** The pause after the nth failure in a row. */
  readonly pause?: (failures: number) => Ms;
}

/** Changes of so long go into one transaction. */
const MOMENT = ms(20);
const LONGEST_PAUSE = seconds(5);
/** Callers that wait at a time; a further one gets its answer at once. */
const MOST_WAITING = 10_000;

type State = "closed" | "opening" | "open";

export class Durable {
  readonly #options: DurableOptions;
  readonly #pause: (failures: number) => Ms;
  #state: State = "closed";
  #kept: Kept = keepNothing;
  #failures = 0;
  /** Of the next write, or of the next attempt to open. */
  #timer: NodeJS.Timeout | undefined;
  readonly #waiting = new Set<(durable: boolean) => void>();

  constructor(options: DurableOptions) {
    this.#options = options;
    this.#pause = options.pause ?? ((failures) => backoff(failures, Math.random(), LONGEST_PAUSE));
  }

  /** The file is open and was read. */
  get isOpen(): boolean {
    return this.#state === "open";
  }

  /** The last attempt to open or to write has failed. */
  get isFailing(): boolean {
    return this.#failures > 0;
  }

  open(): void {
    if (this.#state !== "closed") return;
    this.#state = "opening";
    this.#open();
  }

  /** Something has changed: it will be written a moment later. */
  changed(): void {
    if (this.#state === "open") this.#timer ??= setTimeout(() => this.#write(), MOMENT);
  }

  /** @returns true once all that has changed until now is on disk; false when it is not within this time. */
  settled(within: Ms): Promise<boolean> {
    if (this.#state === "open" && this.#timer === undefined) return Promise.resolve(true);
    if (this.#state === "closed" || this.#waiting.size >= MOST_WAITING) return Promise.resolve(false);
    return new Promise((resolve) => {
      const end = (durable: boolean): void => {
        clearTimeout(timer);
        this.#waiting.delete(end);
        resolve(durable);
      };
      const timer = setTimeout(() => end(false), within);
      this.#waiting.add(end);
    });
  }

  /** Writes all that is left, and closes the file. @param last facts for the successor alone. @returns whether all of it is on disk. */
  close(last: readonly Fact[]): boolean {
    const wasOpen = this.#state === "open";
    this.#disarm();
    const durable = wasOpen && this.#save(last);
    this.#state = "closed";
    this.#failures = 0;
    this.#tell(durable);
    if (!durable) this.#options.log.error("the ledger closes with changes that are not on disk: the next broker does not know them");
    this.#end(this.#kept);
    this.#kept = keepNothing;
    return durable;
  }

  #open(): void {
    const { log, open, source } = this.#options;
    this.#timer = undefined;
    let kept: Kept | undefined;
    try {
      kept = open();
      source.load(kept);
    } catch (e) {
      this.#failures += 1;
      const what = "the ledger can't be opened: logins and sessions that this process does not know wait for it";
      if (this.#failures === 1) log.error(`${what}: ${messageOf(e)}; drover tries again`);
      this.#timer = setTimeout(() => this.#open(), this.#pause(this.#failures));
      return this.#end(kept);
    }
    if (this.#failures > 0) log.info("the ledger is open");
    [this.#kept, this.#state, this.#failures] = [kept, "open", 0];
    this.#write();
  }

  #write(): void {
    this.#disarm();
    if (this.#save([])) return this.#tell(true);
    this.#timer = setTimeout(() => this.#write(), this.#pause(this.#failures));
  }

  /** @returns whether all that is unsaved now is on disk. */
  #save(more: readonly Fact[]): boolean {
    const { log, source } = this.#options;
    const facts = [...source.unsaved(), ...more];
    try {
      if (facts.length > 0) this.#kept.write(facts);
    } catch (e) {
      this.#failures += 1;
      const what = `the ledger can't be written: logouts are refused until it can (${facts.length} changes wait)`;
      if (this.#failures === 1) log.error(`${what}: ${messageOf(e)}; drover tries again`);
      return false;
    }
    source.saved();
    if (this.#failures > 0) log.info(`the ledger is written again: ${facts.length} changes`);
    this.#failures = 0;
    return true;
  }

  #end(kept: Kept | undefined): void {
    try {
      kept?.close();
    } catch (e) {
      this.#options.log.warn(`the ledger's file did not close: ${messageOf(e)}`);
    }
  }

  #tell(durable: boolean): void {
    for (const end of this.#waiting) end(durable);
  }

  #disarm(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}

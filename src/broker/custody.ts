/**
 * Whether this broker has the journal:
 *
 *   closed ─ open ─→ open ─ yield ─→ closed      another broker takes it over; reclaim, takeBack when that one has failed
 *      └ the disk is full or fails ─→ refusing ─ every 2 s ─→ open
 *
 * While it refuses, the rows are shown with the writes that wait in the journal's file, and every new write is refused (507).
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { DroverError, messageOf } from "../base/errors.ts";
import type { Logger } from "../base/log.ts";
import { seconds, type Ms } from "../base/units.ts";
import type { Broker } from "./broker.ts";
import { judgeJournal, readWaiting } from "./journal/inspect.ts";
import { FILE, NEXT } from "./journal/swap.ts";
import type { WriteMeans } from "./writing.ts";

/** What the custody of a journal needs. */
export interface CustodyParts {
  readonly broker: Broker;
  readonly dataDir: string;
  readonly spreadsheet: string;
  readonly log: Logger;
  /** Opens the journal; undefined: this process keeps none. @throws DroverError. */
  readonly open: () => Promise<WriteMeans | undefined>;
}

/** Room on the disk is looked for this often. */
const LOOK_FOR_ROOM = seconds(2);
/** The pause before another try to open a journal that a successor has left. */
const TRY_AGAIN = seconds(5);

export class Custody {
  readonly #parts: CustodyParts;
  #leaving = false;
  /** Brokers that have asked for the journal and still run. */
  #successors = 0;
  /** Set while another broker has the journal, or is about to. */
  #yielding: Promise<void> | undefined;
  #retry: NodeJS.Timeout | undefined;
  /** The attempt to open the journal that is under way; never rejects. */
  #opening: Promise<unknown> | undefined;

  constructor(parts: CustodyParts) {
    this.#parts = parts;
  }

  /**
   * Opens the journal if a table is writable or writes may wait in it. Without room on the disk it begins to refuse writes instead.
   * @returns whether the journal is open.
   * @throws DroverError when the journal can't be opened, or not even read.
   */
  async open(): Promise<boolean> {
    const { broker, dataDir } = this.#parts;
    if (!broker.writable && !existsSync(join(dataDir, FILE))) return false;
    return await this.#track(this.#openOrRefuse());
  }

  /** Hands the journal to a successor: accepts no more writes. Resolves once the journal is closed. */
  yield(): Promise<void> {
    this.#successors += 1;
    return this.#close();
  }

  /** Another broker has the journal, or is about to. */
  get isYielding(): boolean {
    return this.#yielding !== undefined;
  }

  /** As `yield`, permanently. */
  leave(): Promise<void> {
    this.#leaving = true;
    return this.#close();
  }

  /** A successor is gone. @returns whether the journal is this broker's again: it stays, and no other successor has asked. */
  async reclaim(): Promise<boolean> {
    this.#successors -= 1;
    await this.#yielding;
    if (this.#leaving || this.#successors > 0) return false;
    this.#yielding = undefined;
    return true;
  }

  /** Opens the journal again after `reclaim`, and tries again until it is open or another broker asks for it. */
  async takeBack(): Promise<void> {
    const { broker, log } = this.#parts;
    if (broker.takesWrites || this.#opening !== undefined) return;
    try {
      if (await this.open()) log.warn("the broker that was to take over is gone: the journal is open here again");
    } catch (e) {
      log.error({ err: e }, `the journal can't be opened again, nothing can be written: ${messageOf(e)}`);
      this.#later(TRY_AGAIN, () => this.takeBack());
    }
  }

  /** Waits for an opening that is under way: its journal is closed too. */
  #close(): Promise<void> {
    clearTimeout(this.#retry);
    this.#yielding ??= (this.#opening ?? Promise.resolve()).then(() => this.#parts.broker.closeWrites());
    return this.#yielding;
  }

  #track(opening: Promise<boolean>): Promise<boolean> {
    const ended = (): void => void (this.#opening = undefined);
    this.#opening = opening.then(ended, ended); // the caller reports the error
    return opening;
  }

  #later(pause: Ms, attempt: () => Promise<unknown>): void {
    if (!this.isYielding) this.#retry = setTimeout(() => void attempt(), pause);
  }

  async #openOrRefuse(): Promise<boolean> {
    try {
      return await this.#open();
    } catch (e) {
      if (!isDiskError(e)) throw e;
      this.#refuse(e);
      return false;
    }
  }

  async #open(): Promise<boolean> {
    const { broker, log, open } = this.#parts;
    const means = await open();
    if (means === undefined) return false;
    const { entries } = means.journal.recovered;
    if (entries.length > 0) log.info({ waiting: entries.length }, `${entries.length} writes wait in the journal, and are sent now`);
    broker.openWrites(means);
    return true;
  }

  /**
   * @throws the error when the journal can't even be read: rows without what waits in it would be older than clients have seen.
   * @throws DroverError DROVER_E_JOURNAL when its writes are another spreadsheet's, or a newer drover's.
   */
  #refuse(error: DroverError): void {
    const { broker, dataDir, spreadsheet, log } = this.#parts;
    let entries: ReturnType<typeof readWaiting>;
    try {
      if (existsSync(join(dataDir, NEXT))) throw error; // only opening ends the swap
      judgeJournal(dataDir, spreadsheet);
      entries = readWaiting(join(dataDir, FILE));
    } catch (e) {
      throw e instanceof DroverError ? e : error; // it says what is wrong with the same file
    }
    log.error({ err: error, waiting: entries.length }, `writes are refused until the journal can be opened: ${error.message}`);
    broker.refuseWrites(entries, error.message);
    this.#lookAgain();
  }

  #lookAgain(): void {
    this.#later(LOOK_FOR_ROOM, () => this.#track(this.#tryAgain()));
  }

  async #tryAgain(): Promise<boolean> {
    const { log } = this.#parts;
    try {
      const isOpen = await this.#open();
      log.warn("the journal could be opened: writes are accepted again");
      return isOpen;
    } catch (e) {
      if (!isDiskError(e)) log.error({ err: e }, `the journal still can't be opened: ${messageOf(e)}`);
      this.#lookAgain();
      return false;
    }
  }
}

const isDiskError = (e: unknown): e is DroverError => e instanceof DroverError && e.code === "DROVER_E_DISK";

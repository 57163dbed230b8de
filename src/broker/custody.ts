/**
 * Whether this broker has the journal:
 *
 *   closed ─ open ─→ open ─ yield ─→ closed      another broker takes it over; takeBack when that one has failed
 *      └ the disk is full or fails ─→ refusing ─ every 2 s ─→ open
 *
 * While it refuses, the rows are shown with the writes that wait in the journal's file, and every new write is refused (507).
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { DroverError, messageOf } from "../base/errors.ts";
import type { Logger } from "../base/log.ts";
import { seconds } from "../base/units.ts";
import type { Broker } from "./broker.ts";
import { readWaiting } from "./journal/inspect.ts";
import { FILE } from "./journal/salvage.ts";
import type { WriteMeans } from "./writing.ts";

/** What the custody of a journal needs. */
export interface CustodyParts {
  readonly broker: Broker;
  readonly dataDir: string;
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
  /** Set while another broker has the journal, or is about to. */
  #yielding: Promise<void> | undefined;
  #retry: NodeJS.Timeout | undefined;
  #opening: Promise<void> | undefined;

  constructor(parts: CustodyParts) {
    this.#parts = parts;
  }

  /**
   * Opens the journal if a table is writable or writes may wait in it. Without room on the disk it begins to refuse writes instead.
   * @throws DroverError when the journal can't be opened, or not even read.
   */
  async open(): Promise<void> {
    const { broker, dataDir } = this.#parts;
    if (!broker.writable && !existsSync(join(dataDir, FILE))) return;
    try {
      await this.#open();
    } catch (e) {
      if (!isDiskError(e)) throw e;
      this.#refuse(e);
    }
  }

  /** Accepts no more writes. Resolves once the journal is closed. */
  yield(): Promise<void> {
    clearTimeout(this.#retry);
    this.#yielding ??= (this.#opening ?? Promise.resolve()).then(() => this.#parts.broker.closeWrites());
    return this.#yielding;
  }

  /** Another broker has the journal, or is about to. */
  get isYielding(): boolean {
    return this.#yielding !== undefined;
  }

  /** Resolves once a yield that was asked for is done. */
  get yielded(): Promise<void> {
    return this.#yielding ?? Promise.resolve();
  }

  /** As `yield`, permanently. */
  leave(): Promise<void> {
    this.#leaving = true;
    return this.yield();
  }

  /** The successor is gone and this broker is still here: opens the journal again. */
  async takeBack(): Promise<void> {
    const { broker, log } = this.#parts;
    await this.#yielding;
    if (this.#leaving) return;
    this.#yielding = undefined;
    if (broker.takesWrites) return;
    try {
      await this.open();
      log.warn("the broker that was to take over is gone: the journal is open here again");
    } catch (e) {
      log.error({ err: e }, `the journal can't be opened again, nothing can be written: ${messageOf(e)}`);
      this.#retry = setTimeout(() => void this.takeBack(), TRY_AGAIN);
    }
  }

  async #open(): Promise<void> {
    const { broker, log, open } = this.#parts;
    const means = await open();
    if (means === undefined) return;
    const { entries } = means.journal.recovered;
    if (entries.length > 0) log.info({ waiting: entries.length }, `${entries.length} writes wait in the journal, and are sent now`);
    broker.openWrites(means);
  }

  /** @throws the error when the journal can't even be read: rows without what waits in it would be older than clients have seen. */
  #refuse(error: DroverError): void {
    const { broker, dataDir, log } = this.#parts;
    let entries: ReturnType<typeof readWaiting>;
    try {
      entries = readWaiting(join(dataDir, FILE));
    } catch {
      throw error; // it says what is wrong with the same file
    }
    log.error({ err: error, waiting: entries.length }, `writes are refused until the journal can be opened: ${error.message}`);
    broker.refuseWrites(entries, error.message);
    this.#lookAgain();
  }

  #lookAgain(): void {
    this.#retry = setTimeout(() => {
      this.#opening = this.#tryAgain().finally(() => (this.#opening = undefined));
    }, LOOK_FOR_ROOM);
  }

  async #tryAgain(): Promise<void> {
    const { log } = this.#parts;
    try {
      await this.#open();
      log.warn("the journal could be opened: writes are accepted again");
    } catch (e) {
      if (!isDiskError(e)) log.error({ err: e }, `the journal still can't be opened: ${messageOf(e)}`);
      if (this.#yielding === undefined) this.#lookAgain();
    }
  }
}

const isDiskError = (e: unknown): e is DroverError => e instanceof DroverError && e.code === "DROVER_E_DISK";

/** What `/api/events` tells, and what becomes of the rows by it. */
import { backoff } from "./format.js";

/**
 * The rows after an event: pure, and the same when it is applied again. A row is known by its key; of several with one key the first counts.
 * @param table {key, rows, total}
 * @returns {table, changed: columns that changed, or undefined when nothing did}
 */
export function reduce(table, { kind, key, row }) {
  const at = table.rows.findIndex((one) => String(one[table.key]) === key);
  if (kind === "row.deleted") {
    if (at < 0) return { table, changed: undefined };
    return { table: { ...table, rows: table.rows.toSpliced(at, 1), total: table.total - 1 }, changed: [] };
  }
  if (at < 0) return { table: { ...table, rows: [...table.rows, row], total: table.total + 1 }, changed: Object.keys(row) };
  const before = table.rows[at];
  const changed = Object.keys(row).filter((name) => row[name] !== before[name]);
  return changed.length === 0 ? { table, changed: undefined } : { table: { ...table, rows: table.rows.with(at, row) }, changed };
}

/** @returns the event, or undefined for what is none: a stream of another version must not break the page. */
export function readEvent(kind, data) {
  try {
    const { table, key, row } = JSON.parse(data);
    if (kind === "reset") return typeof table === "string" || table === null ? { kind, table } : undefined;
    const hasRow = kind === "row.deleted" || (typeof row === "object" && row !== null);
    return typeof table === "string" && typeof key === "string" && hasRow ? { kind, table, key, row } : undefined;
  } catch {
    return undefined;
  }
}

const KINDS = ["row.created", "row.updated", "row.deleted", "reset"];

/**
 * The stream, for ever. The browser itself comes back after a broken connection, with the last id, and misses nothing; after any other
 * answer than 200 it gives up, and a new stream is made, later each time.
 * @param told ({event}) · opened ({isNew}): all tables must be read when it is · broken ({until}) → seconds the server asks to wait for
 */
export class Live {
  #told;
  #source;
  #timer;
  #tries = 0;

  constructor(told) {
    this.#told = told;
  }

  start() {
    clearTimeout(this.#timer);
    this.#source?.close();
    const source = new EventSource("/api/events");
    this.#source = source;
    let isNew = true;
    source.addEventListener("open", () => {
      this.#tries = 0;
      this.#told.opened({ isNew });
      isNew = false;
    });
    source.addEventListener("error", () => void this.#broken(source));
    for (const kind of KINDS)
      source.addEventListener(kind, ({ data }) => {
        const event = readEvent(kind, data);
        if (event !== undefined) this.#told.event(event);
      });
  }

  async #broken(source) {
    if (source !== this.#source) return;
    const asked = await this.#told.broken();
    if (source !== this.#source || source.readyState !== EventSource.CLOSED) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.start(), backoff(this.#tries, asked));
    this.#tries += 1;
  }
}

/** `drover.tables`: reading and writing as an application wants it, made of what every worker holds of the tables. */
import { createHash } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { systemClock } from "../base/clock.ts";
import type { Tables, TableView } from "../sheets/client.ts";
import { rowBody, rowTag, type Row, type Snapshot } from "../sheets/snapshot.ts";
import { EVERY_TABLE, causeOf } from "../sheets/types.ts";
import type { Change, Values, Write, WriteAnswer, WriteRequest } from "../sheets/writes.ts";
import { explained, refusedError, TablesError } from "./errors.ts";
import type { ApplicationTables, ChangeOptions, Found, Reading, ReadOptions, WriteOptions, Written } from "./types.ts";

/** How often a change of a row that others change too is tried. */
const MOST_TRIES = 50;
/** Longest wait between two of them, in ms: long enough for the others to be done, drawn for each so that they part. */
const LONGEST_PAUSE = 40;

type Change1 = Values | ((row: Row) => Values);

/** @param random 0 ≤ random < 1. */
export function applicationTables(tables: Tables, random: () => number = Math.random): ApplicationTables {
  const found = (table: string, key: string | number, { signal }: ReadOptions = {}): Promise<Found<Row> | undefined> =>
    explained(table, async () => rowIn(await tables.table(table, signal), String(key)));
  const write = (table: string, changes: readonly Change[], options: WriteOptions = {}): Promise<readonly Written[]> =>
    explained(table, async () =>
      writtenOr(table, await tables.write(requestOf(table, changes, options), options.wait ?? "journal", options.signal)),
    );
  const writeOne = async (table: string, change: Change, options?: WriteOptions): Promise<Written> => {
    const [written] = await write(table, [change], options);
    if (written === undefined) throw new Error("a change was taken, but nothing was written");
    return written;
  };
  const face = {
    list: () => tables.list(),
    peek: (name: string) => tables.peek(name),
    table: (...args: Parameters<Tables["table"]>) => tables.table(...args),
    write: (...args: Parameters<Tables["write"]>) => tables.write(...args),
    findWrite: (id: string) => tables.findWrite(id),
    feed: tables.feed,
    read: (table: string, { signal }: ReadOptions = {}) => explained(table, async () => readingOf(await tables.table(table, signal))),
    row: found,
    append: (table: string, rows: Values | readonly Values[], options?: WriteOptions): Promise<Written | readonly Written[]> =>
      Array.isArray(rows)
        ? write(
            table,
            rows.map((values: Values) => ({ op: "append", values })),
            options,
          )
        : writeOne(table, { op: "append", values: rows as Values }, options),
    update: (table: string, key: string | number, change: Change1, options: ChangeOptions = {}): Promise<Written> =>
      typeof change === "function"
        ? changed({ table, key, change, options }, { found, writeOne, random })
        : writeOne(table, { op: "update", key: String(key), values: change, ...matching(options) }, options),
    remove: (table: string, key: string | number, options: ChangeOptions = {}): Promise<Written> =>
      writeOne(table, { op: "delete", key: String(key), ...matching(options) }, options),
    async outcome(id: string): Promise<Written | undefined> {
      const write = await explained(EVERY_TABLE, () => tables.findWrite(id));
      return write === undefined ? undefined : shown(write, false);
    },
  };
  return face as ApplicationTables;
}

const matching = ({ ifMatch }: ChangeOptions): { readonly ifMatch?: string } => (ifMatch === undefined ? {} : { ifMatch });

function requestOf(table: string, changes: readonly Change[], { once }: WriteOptions): WriteRequest {
  if (once === undefined) return { table, changes };
  // Not among the names that clients of the HTTP API choose for themselves.
  const digest = createHash("sha256")
    .update(JSON.stringify([table, changes]))
    .digest("base64url");
  return { table, changes, once: { key: `a-${createHash("sha256").update(once).digest("base64url")}`, digest } };
}

interface Asked {
  readonly table: string;
  readonly key: string | number;
  readonly change: (row: Row) => Values;
  readonly options: WriteOptions;
}

interface Means {
  readonly found: (table: string, key: string | number, options: ReadOptions) => Promise<Found<Row> | undefined>;
  readonly writeOne: (table: string, change: Change, options: WriteOptions) => Promise<Written>;
  readonly random: () => number;
}

/** Read, change, write if nobody was faster: until it is so. */
async function changed({ table, key, change, options }: Asked, { found, writeOne, random }: Means): Promise<Written> {
  for (let tries = 1; ; tries += 1) {
    const is = await found(table, key, options);
    if (is === undefined)
      throw refusedError(table, { reason: "unknown-key", message: `there is no row with the key ${JSON.stringify(String(key))}` });
    try {
      return await writeOne(table, { op: "update", key: String(key), values: change(is.row), ifMatch: is.tag }, options);
    } catch (thrown) {
      if (!(thrown instanceof TablesError) || thrown.reason !== "conflict" || tries >= MOST_TRIES) throw thrown;
      await sleep(random() * Math.min(LONGEST_PAUSE, tries * 4), undefined, options.signal === undefined ? {} : { signal: options.signal });
    }
  }
}

/** Rows are parsed once for each version, however many read them. */
const parsed = new WeakMap<Snapshot, readonly Row[]>();

function rowsOf(snapshot: Snapshot): readonly Row[] {
  const known = parsed.get(snapshot);
  if (known !== undefined) return known;
  const text = Buffer.from(snapshot.rowSlice(0, snapshot.rowCount)).toString();
  const rows = JSON.parse(`[${text}]`) as Row[];
  for (const row of rows) Object.freeze(row);
  parsed.set(snapshot, Object.freeze(rows));
  return rows;
}

function readingOf({ snapshot, head, source, failure }: TableView): Reading<Row> {
  const stale = failure !== undefined || systemClock.now() >= source.freshUntil;
  return { rows: rowsOf(snapshot), asOf: new Date(head.asOf), stale, ...(failure === undefined ? {} : { why: causeOf(failure) }) };
}

function rowIn({ snapshot, info }: TableView, key: string): Found<Row> | undefined {
  const at = snapshot.indexOfKey(key);
  const row = at === undefined ? undefined : snapshot.row(at);
  if (at === undefined || row === undefined) return undefined;
  return { row: Object.freeze(row), tag: rowTag(rowBody(info.name, snapshot.rowSlice(at, at + 1))) };
}

/** @throws TablesError for a refusal. */
function writtenOr(table: string, answer: WriteAnswer): readonly Written[] {
  if (answer.is === "refused") throw refusedError(table, answer.refusal);
  return answer.writes.map((write) => shown(write, answer.repeated));
}

function shown({ at, landedAt, ...write }: Write, repeated: boolean): Written {
  return { ...write, at: new Date(at), ...(landedAt === undefined ? {} : { landedAt: new Date(landedAt) }), repeated };
}

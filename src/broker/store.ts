/**
 * What must be true for all brokers that serve one spreadsheet, whichever of them looks: how much of the quota is used,
 * and which rows each table had when. Embedded here: memory, and two small files so that a successor begins where its
 * predecessor was. Losing them costs nothing but exactness.
 */
import { randomUUID } from "node:crypto";
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { errnoOf, messageOf } from "../base/errors.ts";
import { count, listOf, record as isRecord, text } from "../base/fields.ts";
import type { Logger } from "../base/log.ts";
import { isDiskTrouble, storageError } from "../base/storage.ts";
import { ms, seconds, type Ms, type Timestamp } from "../base/units.ts";
import { replaceFile, replaceFileInBackground } from "../base/wholefile.ts";
import type { Delivery } from "../sheets/writes.ts";
import type { LastAccepted } from "./journal/journal.ts";
import type { QuotaState } from "./quota.ts";

/** When a table's rows were last known to be these. */
export interface Checked {
  readonly hash: string;
  readonly checkedAt: Timestamp;
}

/** A daemon, for others on the same Google account. */
export interface DaemonId {
  /** The same for all its brokers. */
  readonly id: string;
  /** For people. */
  readonly name: string;
}

/** What was last known of the daemons on the account. */
export interface KnownDaemons {
  /** With this one. */
  readonly daemons: number;
  /** The one that accepts the writes to this daemon's spreadsheet; undefined: none, or it is not known. */
  readonly writer: DaemonId | undefined;
}

export interface Store {
  /** Larger than that of every broker before: versions of another epoch can't be compared with ours. */
  readonly epoch: number;
  /** Of reads. */
  quota(): QuotaState;
  keepQuota(state: QuotaState): void;
  writeQuota(): QuotaState;
  keepWriteQuota(state: QuotaState): void;
  /** What was found out about a spreadsheet: whether it refuses a second write with the same fence. */
  proof(spreadsheetId: string): Delivery | undefined;
  keepProof(spreadsheetId: string, delivery: Delivery): void;
  /** The last write that a journal has accepted, as of about a second ago. */
  lastAccepted(): LastAccepted | undefined;
  noteAccepted(last: LastAccepted): void;
  /** How many workers the broker before this one had, or this one has. */
  readers(): number;
  keepReaders(count: number): void;
  daemon(): KnownDaemons & { readonly id: string };
  keepDaemon(known: KnownDaemons): void;
  checked(table: string): Checked | undefined;
  keepChecked(tables: ReadonlyMap<string, Checked>): void;
  /** Writes what is not on disk yet, and nothing from then on. @returns when it is there. */
  close(): Promise<void>;
}

/** How late it may be written when a table was last checked: a successor only reads the table sooner. */
const SOON = ms(100);
/** The last accepted write is noted at most once in this time. */
const ACCEPTED = seconds(1);

interface Quotas {
  quota: QuotaState;
  writeQuota: QuotaState;
}

interface Kept {
  epoch: number;
  proofs: Record<string, Delivery>;
  lastAccepted?: LastAccepted | undefined;
  readers: number;
  daemon: KnownDaemons & { readonly id: string };
  tables: Record<string, Checked>;
}

/** Of a daemon: a host and a path. */
export const LONGEST_NAME = 500;
const isTime = (v: unknown): v is Timestamp => typeof v === "number" && Number.isFinite(v) && v >= 0;

const MOST_CALLS = 10_000;

function readQuota(raw: unknown): QuotaState {
  const quota = isRecord(raw) ? raw : {};
  const [spent, ids] = [listOf(quota["spent"]), listOf(quota["ids"])];
  const calls = spent.map((at, i) => [at, ids[i]] as const).filter((call): call is readonly [Timestamp, unknown] => isTime(call[0]));
  return {
    spent: calls.slice(-MOST_CALLS).map(([at]) => at),
    ...(ids.length === 0 ? {} : { ids: calls.slice(-MOST_CALLS).map(([, id]) => (text(id) ? id : "")) }),
    lockedUntil: isTime(quota["lockedUntil"]) ? quota["lockedUntil"] : (0 as Timestamp),
  };
}

function readAccepted(raw: unknown): LastAccepted | undefined {
  if (!isRecord(raw) || typeof raw["identity"] !== "string" || !Number.isSafeInteger(raw["lsn"])) return undefined;
  return { identity: raw["identity"], lsn: Number(raw["lsn"]) };
}

export const isDaemonId = (v: unknown): v is DaemonId => isRecord(v) && text(v["id"]) && text(v["name"], LONGEST_NAME);

function readDaemon(raw: unknown): Kept["daemon"] {
  const { id, daemons, writer } = isRecord(raw) ? raw : {};
  return {
    id: text(id) ? id : randomUUID(),
    daemons: count(daemons) && daemons >= 1 ? daemons : 1,
    writer: isDaemonId(writer) ? { id: writer.id, name: writer.name } : undefined,
  };
}

const isDelivery = (v: unknown): v is Delivery => v === "exactly-once" || v === "at-least-once";

/** What a file says, as far as it can be believed. */
function readKept(raw: unknown): Kept {
  const file = isRecord(raw) ? raw : {};
  const tables = isRecord(file["tables"]) ? file["tables"] : {};
  const proofs = Object.entries(isRecord(file["proofs"]) ? file["proofs"] : {}).filter((entry): entry is [string, Delivery] =>
    isDelivery(entry[1]),
  );
  const checked = Object.entries(tables).filter(
    (entry): entry is [string, Record<string, unknown> & Checked] =>
      isRecord(entry[1]) && typeof entry[1]["hash"] === "string" && isTime(entry[1]["checkedAt"]),
  );
  return {
    epoch: isTime(file["epoch"]) ? file["epoch"] : 0,
    proofs: Object.fromEntries(proofs),
    lastAccepted: readAccepted(file["lastAccepted"]),
    readers: isTime(file["readers"]) ? file["readers"] : 0,
    daemon: readDaemon(file["daemon"]),
    tables: Object.fromEntries(checked.map(([name, { hash, checkedAt }]) => [name, { hash, checkedAt }])),
  };
}

/** @returns the daemon that has this data directory; undefined: it was never started. */
export function daemonIdOf(dataDir: string): string | undefined {
  try {
    const { id } = Object(JSON.parse(readTwice(join(dataDir, "broker.json")))?.daemon) as { readonly id?: unknown };
    return text(id) ? id : undefined;
  } catch {
    return undefined; // there is none, or it is not this user's: the caller's line says what it looked at
  }
}

/** A read that failed may succeed, and what this one loses is overwritten. */
function readTwice(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (e) {
    if (!isDiskTrouble(e)) throw e;
    return readFileSync(path, "utf8");
  }
}

function load(path: string, log: Logger): unknown {
  try {
    return JSON.parse(readTwice(path));
  } catch (e) {
    if (errnoOf(e) !== "ENOENT") log.warn({ path }, `what the last broker knew is lost: ${messageOf(e)}`);
    return undefined;
  }
}

/** Calls are counted before they are made, so that a crash in a loop does not exceed the quota: a kill loses nothing of this, a loss of power may. */
function replaceUnsynced(path: string, text: string): void {
  const temporary = `${path}.${process.pid}`;
  try {
    writeFileSync(temporary, text, { mode: 0o600 });
    renameSync(temporary, path);
  } catch (e) {
    rmSync(temporary, { force: true });
    throw e;
  }
}

/** Replaces a file in the background, whole and synced; what comes during a write is written after it. */
class Saver {
  readonly #path: string;
  readonly #content: () => string;
  readonly #failed: (e: unknown) => void;
  readonly #written: () => void;
  #timer: NodeJS.Timeout | undefined;
  /** When the timer ends, on the monotonic clock. */
  #due = Infinity;
  #saving: Promise<void> | undefined;

  constructor(path: string, content: () => string, failed: (e: unknown) => void, written: () => void) {
    this.#path = path;
    this.#content = content;
    this.#failed = failed;
    this.#written = written;
  }

  /** @param wait at most, for more. */
  save(wait: Ms): void {
    const due = performance.now() + wait;
    if (due >= this.#due) return;
    clearTimeout(this.#timer);
    this.#due = due;
    this.#timer = setTimeout(() => void this.saved(), wait);
  }

  /** @returns when all is on disk, or could not be written. */
  async saved(): Promise<void> {
    while (this.#timer !== undefined || this.#saving !== undefined) {
      this.#saving ??= this.#start();
      // oxlint-disable-next-line no-await-in-loop -- one at a time is the point
      await this.#saving;
    }
  }

  async #start(): Promise<void> {
    clearTimeout(this.#timer);
    [this.#timer, this.#due] = [undefined, Infinity];
    await replaceFileInBackground(this.#path, this.#content(), `${this.#path}.${process.pid}`).then(this.#written, this.#failed);
    this.#saving = undefined;
  }
}

/**
 * The embedded store, in `dataDir/broker.json` and `dataDir/quota.json` (mode 0600).
 * @throws DroverError DROVER_E_DATA_DIR when the directory can't be written, unless the disk is full or fails: the log names it, and reads go on.
 */
export function openStore(dataDir: string, now: Timestamp, log: Logger): Store {
  const [path, quotaPath] = [join(dataDir, "broker.json"), join(dataDir, "quota.json")];
  const before = load(path, log);
  const kept = readKept(before);
  const counted = Object(load(quotaPath, log) ?? before) as { readonly [name: string]: unknown }; // an older drover's are in the other file
  const quotas: Quotas = { quota: readQuota(counted["quota"]), writeQuota: readQuota(counted["writeQuota"]) };
  kept.epoch = Math.max(now, kept.epoch + 1);
  let failing = false;
  const fails = (e: unknown): void => {
    if (!failing) log.error({ path }, `can't be written, the next broker will know less: ${messageOf(e)}`);
    failing = true;
  };
  const works = (): void => void (failing = false);
  const text = (): string => JSON.stringify(kept);
  try {
    mkdirSync(dataDir, { recursive: true, mode: 0o700 });
    replaceFile(path, text());
  } catch (e) {
    if (!isDiskTrouble(e)) throw storageError(`the data directory ${dataDir} can't be written`, e);
    fails(e);
  }
  const saver = new Saver(path, text, fails, works);
  let closed = false;
  const keep = (change: Partial<Kept>, wait: Ms): void => {
    if (closed) return;
    Object.assign(kept, change);
    saver.save(wait);
  };
  const keepCounts = (change: Partial<Quotas>): void => {
    if (closed) return;
    Object.assign(quotas, change);
    try {
      replaceUnsynced(quotaPath, JSON.stringify(quotas));
      works();
    } catch (e) {
      fails(e);
    }
  };
  return {
    epoch: kept.epoch,
    quota: () => quotas.quota,
    keepQuota: (quota) => keepCounts({ quota }),
    writeQuota: () => quotas.writeQuota,
    keepWriteQuota: (writeQuota) => keepCounts({ writeQuota }),
    proof: (spreadsheetId) => (Object.hasOwn(kept.proofs, spreadsheetId) ? kept.proofs[spreadsheetId] : undefined),
    keepProof: (spreadsheetId, delivery) => keep({ proofs: { ...kept.proofs, [spreadsheetId]: delivery } }, ms(0)),
    lastAccepted: () => kept.lastAccepted,
    noteAccepted: (lastAccepted) => keep({ lastAccepted }, ACCEPTED),
    readers: () => kept.readers,
    keepReaders(readers) {
      if (readers !== kept.readers) keep({ readers }, ms(0));
    },
    daemon: () => kept.daemon,
    keepDaemon({ daemons, writer }) {
      const daemon = { id: kept.daemon.id, daemons, writer };
      if (JSON.stringify(daemon) !== JSON.stringify(kept.daemon)) keep({ daemon }, ms(0));
    },
    checked: (table) => (Object.hasOwn(kept.tables, table) ? kept.tables[table] : undefined),
    keepChecked: (tables) => keep({ tables: Object.fromEntries(tables) }, SOON),
    async close() {
      closed = true;
      await saver.saved();
    },
  };
}

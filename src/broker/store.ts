/**
 * What must be true for all brokers that serve one spreadsheet, whichever of them looks: how much of the quota is used,
 * and which rows each table had when. Embedded here: memory, and one small file so that a successor begins where its
 * predecessor was. Losing the file costs nothing but exactness.
 */
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { errnoOf, messageOf } from "../base/errors.ts";
import type { Logger } from "../base/log.ts";
import { isDiskTrouble, storageError } from "../base/storage.ts";
import { ms, type Timestamp } from "../base/units.ts";
import type { Delivery } from "../sheets/writes.ts";
import type { LastAccepted } from "./journal/journal.ts";
import type { QuotaState } from "./quota.ts";

/** When a table's rows were last known to be these. */
export interface Checked {
  readonly hash: string;
  readonly checkedAt: Timestamp;
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
  /** The last write that a journal has accepted. It is kept with the next change of anything else: the file may name an older one. */
  lastAccepted(): LastAccepted | undefined;
  noteAccepted(last: LastAccepted): void;
  /** How many workers the broker before this one had, or this one has. */
  readers(): number;
  keepReaders(count: number): void;
  checked(table: string): Checked | undefined;
  keepChecked(tables: ReadonlyMap<string, Checked>): void;
  /** Writes what is not on disk yet, and nothing from then on. */
  close(): void;
}

/**
 * Whether a kill may lose a change: calls are counted on disk before they are made, so that a crash in a loop does not exceed the quota.
 * When a table was last checked may be this late: a successor only reads the table sooner.
 */
type Durability = "now" | "soon";
const SOON = ms(100);

interface Kept {
  epoch: number;
  quota: QuotaState;
  writeQuota: QuotaState;
  proofs: Record<string, Delivery>;
  lastAccepted?: LastAccepted | undefined;
  readers: number;
  tables: Record<string, Checked>;
}

const isRecord = (v: unknown): v is Record<string, unknown> => typeof v === "object" && v !== null && !Array.isArray(v);
const isTime = (v: unknown): v is Timestamp => typeof v === "number" && Number.isFinite(v) && v >= 0;

function readQuota(raw: unknown): QuotaState {
  const quota = isRecord(raw) ? raw : {};
  const spent = Array.isArray(quota["spent"]) ? quota["spent"].filter(isTime).slice(-10_000) : [];
  return { spent, lockedUntil: isTime(quota["lockedUntil"]) ? quota["lockedUntil"] : (0 as Timestamp) };
}

function readAccepted(raw: unknown): LastAccepted | undefined {
  if (!isRecord(raw) || typeof raw["identity"] !== "string" || !Number.isSafeInteger(raw["lsn"])) return undefined;
  return { identity: raw["identity"], lsn: Number(raw["lsn"]) };
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
    quota: readQuota(file["quota"]),
    writeQuota: readQuota(file["writeQuota"]),
    proofs: Object.fromEntries(proofs),
    lastAccepted: readAccepted(file["lastAccepted"]),
    readers: isTime(file["readers"]) ? file["readers"] : 0,
    tables: Object.fromEntries(checked.map(([name, { hash, checkedAt }]) => [name, { hash, checkedAt }])),
  };
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

function load(path: string, log: Logger): Kept {
  try {
    return readKept(JSON.parse(readTwice(path)));
  } catch (e) {
    if (errnoOf(e) !== "ENOENT") log.warn({ path }, `what the last broker knew is lost: ${messageOf(e)}`);
    return readKept(undefined);
  }
}

/** Whole, or not at all. */
function replaceFile(path: string, text: string): void {
  const temporary = `${path}.${process.pid}`;
  try {
    writeFileSync(temporary, text, { mode: 0o600 });
    renameSync(temporary, path);
  } catch (e) {
    rmSync(temporary, { force: true });
    throw e;
  }
}

/**
 * The embedded store, in `dataDir/broker.json` (mode 0600).
 * @throws DroverError DROVER_E_DATA_DIR when the directory can't be written, unless the disk is full or fails: the log names it, and reads go on.
 */
export function openStore(dataDir: string, now: Timestamp, log: Logger): Store {
  const path = join(dataDir, "broker.json");
  const kept = load(path, log);
  kept.epoch = Math.max(now, kept.epoch + 1);
  const write = (): void => replaceFile(path, JSON.stringify(kept));
  let failing = false;
  const fails = (e: unknown): void => {
    if (!failing) log.error({ path }, `can't be written, the next broker will know less: ${messageOf(e)}`);
    failing = true;
  };
  try {
    mkdirSync(dataDir, { recursive: true, mode: 0o700 });
    write();
  } catch (e) {
    if (!isDiskTrouble(e)) throw storageError(`the data directory ${dataDir} can't be written`, e);
    fails(e);
  }
  let timer: NodeJS.Timeout | undefined;
  let closed = false;
  const tryWrite = (): void => {
    clearTimeout(timer);
    timer = undefined;
    try {
      write();
      failing = false;
    } catch (e) {
      fails(e);
    }
  };
  const keep = (change: Partial<Kept>, durability: Durability): void => {
    if (closed) return;
    Object.assign(kept, change);
    if (durability === "now") tryWrite();
    else timer ??= setTimeout(tryWrite, SOON);
  };
  return {
    epoch: kept.epoch,
    quota: () => kept.quota,
    keepQuota: (quota) => keep({ quota }, "now"),
    writeQuota: () => kept.writeQuota,
    keepWriteQuota: (writeQuota) => keep({ writeQuota }, "now"),
    proof: (spreadsheetId) => (Object.hasOwn(kept.proofs, spreadsheetId) ? kept.proofs[spreadsheetId] : undefined),
    keepProof: (spreadsheetId, delivery) => keep({ proofs: { ...kept.proofs, [spreadsheetId]: delivery } }, "now"),
    lastAccepted: () => kept.lastAccepted,
    noteAccepted: (last) => void (kept.lastAccepted = last),
    readers: () => kept.readers,
    keepReaders(readers) {
      if (readers !== kept.readers) keep({ readers }, "now");
    },
    checked: (table) => (Object.hasOwn(kept.tables, table) ? kept.tables[table] : undefined),
    keepChecked: (tables) => keep({ tables: Object.fromEntries(tables) }, "soon"),
    close() {
      if (timer !== undefined) tryWrite();
      closed = true;
    },
  };
}

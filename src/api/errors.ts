/** Why an application's call came to nothing, in a form that Fastify, Express and people can use as it is. */
import { DroverError, type ErrorCode } from "../base/errors.ts";
import type { Ms } from "../base/units.ts";
import { causeOf, type Cause, type Unavailable } from "../sheets/types.ts";
import { UnavailableError } from "../sheets/unavailable.ts";
import type { WriteRefusal } from "../sheets/writes.ts";

/** What a program decides by. The status is what an HTTP client should be told. */
const REASONS = {
  "unknown-table": { status: 404, says: "there is no such table" },
  "unknown-key": { status: 404, says: "the table has no row with this key" },
  "duplicate-key": { status: 409, says: undefined },
  conflict: { status: 412, says: "the row has changed since it was read" },
  invalid: { status: 422, says: undefined },
  "reused-key": { status: 422, says: "this key of a request was used for another request" },
  "table-full": { status: 422, says: "the table has as many rows or bytes as the tables file allows" },
  "not-writable": { status: 403, says: "the table can't be written" },
  unavailable: { status: 503, says: "the table is not known yet, and Google Sheets does not give it now" },
  away: { status: 503, says: "the process that keeps the tables is not there" },
  full: { status: 503, says: "too much is waiting to be sent to Google Sheets" },
  "read-only": { status: 503, says: "the spreadsheet is not shared with the service account as Editor" },
  "not-writer": { status: 503, says: "another machine accepts the writes to this spreadsheet" },
  disk: { status: 507, says: "the disk takes nothing more" },
} as const satisfies Record<string, { readonly status: number; readonly says: string | undefined }>;

/** `invalid` and `duplicate-key` are the client's to mend; of the rest only those with `retryAfter` pass by themselves. */
export type TablesErrorReason = keyof typeof REASONS;

interface Parts {
  readonly reason: TablesErrorReason;
  readonly table: string;
  readonly detail: string;
  readonly retryAfter?: Ms | undefined;
  readonly cause?: Cause;
  readonly column?: string | undefined;
  readonly nr?: number | undefined;
  readonly unsure?: boolean | undefined;
}

const BRAND = Symbol.for("drover.TablesError");

/** Answers that pass by themselves name a time even where nobody can know it. */
const COME_AGAIN = 5_000;

/**
 * A table could not be read, or was not written. Thrown by `drover.tables`. `message` may be shown to clients: what names ranges, accounts,
 * disks and processes stands in `detail`, for the log. Fastify and Express answer it with `statusCode` and `headers` by themselves.
 */
export class TablesError extends DroverError {
  readonly reason: TablesErrorReason;
  readonly table: string;
  readonly statusCode: number;
  /** `Retry-After` in whole seconds, where waiting helps. */
  readonly headers: Readonly<Record<string, string>>;
  /** When to try again, in ms; undefined: trying again changes nothing. */
  readonly retryAfter: number | undefined;
  /** In the operator's words. */
  readonly detail: string;
  /** Why a table can't be had, in one word; only with `unavailable` and `away`. */
  readonly why: Cause | undefined;
  /** The column whose value is refused, and of several rows which one, from 0. */
  readonly column: string | undefined;
  readonly row: number | undefined;
  /** Whether a write may have happened all the same. Said again with the same `once` it happens once at most. */
  readonly outcome: "nothing-written" | "unknown";

  constructor({ reason, table, detail, retryAfter, cause, column, nr, unsure }: Parts) {
    const { status, says } = REASONS[reason];
    super(CODES[reason], says === undefined ? detail : `"${table}": ${says}`);
    this.name = "TablesError";
    this.reason = reason;
    this.table = table;
    this.statusCode = status;
    this.retryAfter = status === 503 || status === 507 ? Math.max(1, retryAfter ?? COME_AGAIN) : undefined;
    this.headers = this.retryAfter === undefined ? {} : { "Retry-After": String(Math.ceil(this.retryAfter / 1_000)) };
    this.detail = detail;
    this.why = cause;
    this.column = column;
    this.row = nr;
    this.outcome = unsure === true ? "unknown" : "nothing-written";
    Object.defineProperty(this, BRAND, { value: true });
  }

  /** By a mark instead of by identity: an application may have a copy of the package of its own. */
  static override [Symbol.hasInstance](thrown: unknown): boolean {
    return typeof thrown === "object" && thrown !== null && BRAND in thrown;
  }
}

const CODES = {
  "unknown-table": "DROVER_E_UPSTREAM",
  unavailable: "DROVER_E_UPSTREAM",
  away: "DROVER_E_BROKER",
  "unknown-key": "DROVER_E_REFUSED",
  "duplicate-key": "DROVER_E_REFUSED",
  conflict: "DROVER_E_REFUSED",
  invalid: "DROVER_E_REFUSED",
  "reused-key": "DROVER_E_REFUSED",
  "table-full": "DROVER_E_REFUSED",
  "not-writable": "DROVER_E_REFUSED",
  full: "DROVER_E_REFUSED",
  "read-only": "DROVER_E_CREDENTIALS",
  "not-writer": "DROVER_E_REFUSED",
  disk: "DROVER_E_REFUSED",
} as const satisfies Record<TablesErrorReason, ErrorCode>;

/** The error of a table that can't be had. */
export function unavailableError(table: string, why: Unavailable): TablesError {
  const { reason, message: detail, retryAfter } = why;
  if (reason === "unknown") return new TablesError({ reason: "unknown-table", table, detail });
  return new TablesError({ reason: reason === "broker" ? "away" : "unavailable", table, detail, retryAfter, cause: causeOf(why) });
}

/** The error of a write that was refused. */
export function refusedError(table: string, refusal: WriteRefusal): TablesError {
  const { message: detail, retryAfter, column, nr, unsure } = refusal;
  // Columns that are not known yet: it passes, and is no refusal of the operator's.
  const reason = refusal.reason === "not-writable" && retryAfter !== undefined ? "unavailable" : refusal.reason;
  return new TablesError({ reason, table, detail, retryAfter, column, nr, unsure });
}

/** Runs a call and gives its failure the application's form; whatever else is thrown goes on as it is. */
export async function explained<T>(table: string, call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (thrown) {
    if (thrown instanceof UnavailableError) throw unavailableError(table, thrown.why);
    throw thrown;
  }
}

/** Requests, refusals, the cache; Google, its tables and their writes. */
import { CLASS_COUNTERS, REQUEST_CLASSES } from "../../base/requestclass.ts";
import type { UpstreamReport, WritesReport } from "../../base/upstreamreport.ts";
import { REQUEST_BUCKETS, SHEET_BUCKETS } from "./buckets.ts";
import { countsOf, refusalsOf } from "../refusals.ts";
import type { Lines, MetricsInput } from "./lines.ts";
import { histogram, labelsOf, labelText, line, oneOf } from "./text.ts";

const NO_CALLS: Readonly<Record<string, number>> = Object.fromEntries(
  ["read", "write"].flatMap((pool) => ["ok", "locked", "unavailable", "denied"].map((outcome) => [`${pool}.${outcome}`, 0])),
);

/** One line for each of a record's names. */
const each = (counts: Readonly<Record<string, number>>, name: string, label: string): string =>
  Object.entries(counts)
    .map(([key, n]) => line(name, n, labelText({ [label]: key })))
    .join("");

export const REQUEST_LINES = {
  http_request_duration_seconds: ({ measured }, name) => histogram(name, measured.latency, REQUEST_BUCKETS),
  drover_http_responses_total: ({ snapshot: { counters } }, name) => {
    const { status2xx, status3xx, status4xx, status5xx } = counters;
    return each({ "2xx": status2xx, "3xx": status3xx, "4xx": status4xx, "5xx": status5xx }, name, "code");
  },
  drover_http_failures_total: ({ snapshot: { counters } }, name) => {
    const { status5xx, refused5xx } = counters;
    return each({ error: status5xx - refused5xx, refusal: refused5xx }, name, "cause");
  },
  drover_http_requests_total: ({ snapshot: { counters } }, name) =>
    REQUEST_CLASSES.map((kind) => line(name, counters[CLASS_COUNTERS[kind][0]], labelText({ class: kind }))).join(""),
  drover_http_refused_total: ({ measured }, name) => each(refusalsOf(measured.counts), name, "reason"),
  drover_http_timeouts_total: ({ snapshot }, name) => line(name, snapshot.counters.timeouts),
  drover_connections_accepted_total: ({ snapshot }, name) => line(name, snapshot.counters.accepted),
  drover_queue_wait_seconds: ({ measured }, name) => histogram(name, measured.spans.queue ?? [], REQUEST_BUCKETS),
  drover_cache_requests_total: ({ snapshot: { counters } }, name) => {
    const { hits, misses, stale } = counters;
    return each({ hit: hits, miss: misses, stale }, name, "result");
  },
  drover_cache_prepared_total: ({ snapshot }, name) => line(name, snapshot.counters.prepared),
} satisfies Record<string, Lines>;

const STATES = labelsOf("state", ["ok", "never", "down", "denied", "locked"] as const satisfies readonly UpstreamReport["state"][]);
const POOLS = { read: labelText({ pool: "read" }), write: labelText({ pool: "write" }) };
/** A label for each would make a metric of thousands of lines. */
const MOST_TABLES = 100;

const seconds = (millis: number): number => Math.max(0, millis) / 1_000;

const calls: Lines = ({ snapshot, measured }, name) => {
  const made = countsOf(measured.counts, "calls");
  return Object.entries(snapshot.upstream === null ? made : { ...NO_CALLS, ...made })
    .map(([key, n]) => {
      const [pool = "", ...outcome] = key.split(".");
      return line(name, n, labelText({ pool, outcome: outcome.join(".") }));
    })
    .join("");
};

/** A line for reading, and one for writing where a table may be written to. */
const perPool =
  (valueOf: (quota: WritesReport["quota"], input: MetricsInput) => number): Lines =>
  (input, name) => {
    const { upstream } = input.snapshot;
    if (upstream === null) return "";
    const { quota, writes } = upstream;
    const read = line(name, valueOf(quota, input), POOLS.read);
    return writes === undefined ? read : read + line(name, valueOf(writes.quota, input), POOLS.write);
  };

const perTable =
  (valueOf: (table: UpstreamReport["tables"][number], input: MetricsInput) => number | null): Lines =>
  (input, name) =>
    (input.snapshot.upstream?.tables ?? [])
      .slice(0, MOST_TABLES)
      .map((table) => line(name, valueOf(table, input), labelText({ table: table.name })))
      .join("");

export const UPSTREAM_LINES = {
  drover_upstream_state: ({ snapshot: { upstream } }, name) => (upstream === null ? "" : oneOf(name, STATES, upstream.state)),
  drover_upstream_calls_total: calls,
  drover_upstream_call_duration_seconds: ({ snapshot, measured }, name) =>
    snapshot.upstream === null ? "" : histogram(name, measured.spans.call ?? [], REQUEST_BUCKETS),
  drover_upstream_quota_limit: perPool(({ limit }) => limit),
  drover_upstream_quota_remaining: perPool(({ used, limit }) => Math.max(0, limit - used)),
  drover_upstream_locked_seconds: perPool(({ lockedUntil }, { snapshot }) => (lockedUntil === 0 ? 0 : seconds(lockedUntil - snapshot.at))),
  drover_table_rows: perTable(({ rows }) => rows),
  drover_table_age_seconds: perTable(({ checkedAt }, { snapshot }) => (checkedAt === 0 ? null : seconds(snapshot.at - checkedAt))),
  drover_table_warnings: perTable(({ warnings }) => warnings),
} satisfies Record<string, Lines>;

/** A figure of the journal; nothing where no table may be written to. */
const journal =
  (valueOf: (writes: WritesReport, input: MetricsInput) => number): Lines =>
  (input, name) => {
    const writes = input.snapshot.upstream?.writes;
    return writes === undefined ? "" : line(name, valueOf(writes, input));
  };

export const WRITE_LINES = {
  drover_journal_entries: journal(({ waiting }) => waiting),
  drover_journal_bytes: journal(({ waitingBytes }) => waitingBytes),
  drover_journal_limit_bytes: journal((_, { measured }) => measured.journalSize),
  drover_journal_oldest_seconds: journal(({ oldest }) => seconds(oldest)),
  drover_writes_landed_total: journal(({ landed }) => landed),
  drover_writes_parked_total: journal(({ parked }) => parked),
  drover_writes_set_aside: journal(({ setAside }) => setAside ?? 0),
  drover_time_to_sheet_seconds: ({ snapshot, measured }, name) =>
    snapshot.upstream?.writes === undefined ? "" : histogram(name, measured.spans.sheet ?? [], SHEET_BUCKETS),
} satisfies Record<string, Lines>;

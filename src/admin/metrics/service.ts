import { CLASS_COUNTERS, REQUEST_CLASSES } from "../../base/requestclass.ts";
import type { Measured } from "../../base/measured.ts";
import type { UpstreamReport, WritesReport } from "../../base/upstreamreport.ts";
import type { Timestamp } from "../../base/units.ts";
import type { Snapshot } from "../../master/snapshot.ts";
import { histogram, oneOf, REQUEST_BUCKETS, sample, SHEET_BUCKETS, type Sample } from "./samples.ts";
import type { MetricName } from "./table.ts";

/** Our own reasons stand at 0 from the start: a counter that appears with its first refusal hides that one from rate(). */
const REASONS = "broker exports full logins overload queue quota rate revoked service sessions streams taken-over threads".split(" ");
const NO_REFUSALS: Readonly<Record<string, number>> = Object.fromEntries(REASONS.map((reason) => [reason, 0]));
const NO_CALLS: Readonly<Record<string, number>> = Object.fromEntries(
  ["read", "write"].flatMap((pool) => ["ok", "locked", "unavailable", "denied"].map((outcome) => [`${pool}.${outcome}`, 0])),
);

/** Requests, refusals, the cache. */
export function requestSamples({ counters }: Snapshot, { latency, spans, counts }: Measured): readonly Sample[] {
  const { status2xx, status3xx, status4xx, status5xx, timeouts, accepted, hits, misses, stale } = counters;
  const codes = { "2xx": status2xx, "3xx": status3xx, "4xx": status4xx, "5xx": status5xx };
  return [
    ...histogram("http_request_duration_seconds", latency, REQUEST_BUCKETS),
    ...Object.entries(codes).flatMap(([code, n]) => sample("drover_http_responses_total", n, { code })),
    ...REQUEST_CLASSES.flatMap((kind) => sample("drover_http_requests_total", counters[CLASS_COUNTERS[kind][0]], { class: kind })),
    ...Object.entries({ ...NO_REFUSALS, ...Object.fromEntries(family(counts, "shed")) }).flatMap(([reason, n]) =>
      sample("drover_http_refused_total", n, { reason }),
    ),
    ...sample("drover_http_timeouts_total", timeouts),
    ...sample("drover_connections_accepted_total", accepted),
    ...histogram("drover_queue_wait_seconds", spans.queue ?? [], REQUEST_BUCKETS),
    ...Object.entries({ hit: hits, miss: misses, stale }).flatMap(([result, n]) => sample("drover_cache_requests_total", n, { result })),
  ];
}

/** `shed.full: 3` as `["full", 3]`. */
function family(counts: Measured["counts"], name: "shed" | "calls"): (readonly [string, number])[] {
  return Object.entries(counts)
    .filter(([key]) => key.startsWith(`${name}.`))
    .map(([key, n]) => [key.slice(name.length + 1), n] as const);
}

const STATES = ["ok", "never", "down", "denied", "locked"] as const satisfies readonly UpstreamReport["state"][];
/** A label for each would make a metric of thousands of lines. */
const MOST_TABLES = 100;

/** Google: its state, calls, quota; the tables. */
export function upstreamSamples({ upstream, at }: Snapshot, { counts, spans }: Measured): readonly Sample[] {
  const made = Object.fromEntries(family(counts, "calls"));
  const calls = Object.entries(upstream === null ? made : { ...NO_CALLS, ...made }).flatMap(([key, n]) => {
    const [pool = "", ...outcome] = key.split(".");
    return sample("drover_upstream_calls_total", n, { pool, outcome: outcome.join(".") });
  });
  if (upstream === null) return calls;
  const { quota, tables, writes } = upstream;
  return [
    ...oneOf("drover_upstream_state", "state", STATES, upstream.state),
    ...calls,
    ...histogram("drover_upstream_call_duration_seconds", spans.call ?? [], REQUEST_BUCKETS),
    ...quotaSamples("read", quota, at),
    ...(writes === undefined ? [] : quotaSamples("write", writes.quota, at)),
    ...tables
      .slice(0, MOST_TABLES)
      .flatMap(({ name: table, rows, checkedAt, warnings }) => [
        ...sample("drover_table_rows", rows, { table }),
        ...sample("drover_table_age_seconds", checkedAt === 0 ? null : seconds(at - checkedAt), { table }),
        ...sample("drover_table_warnings", warnings, { table }),
      ]),
  ];
}

const seconds = (millis: number): number => Math.max(0, millis) / 1_000;

function quotaSamples(pool: string, { used, limit, lockedUntil }: WritesReport["quota"], at: Timestamp): readonly Sample[] {
  return [
    ...sample("drover_upstream_quota_limit", limit, { pool }),
    ...sample("drover_upstream_quota_remaining", Math.max(0, limit - used), { pool }),
    ...sample("drover_upstream_locked_seconds", lockedUntil === 0 ? 0 : seconds(lockedUntil - at), { pool }),
  ];
}

/** The journal, and how long it takes to empty. */
export function writeSamples({ upstream }: Snapshot, { spans, journalSize }: Measured): readonly Sample[] {
  const writes = upstream?.writes;
  if (writes === undefined) return [];
  const figures = [
    ["drover_journal_entries", writes.waiting],
    ["drover_journal_bytes", writes.waitingBytes],
    ["drover_journal_limit_bytes", journalSize],
    ["drover_journal_oldest_seconds", seconds(writes.oldest)],
    ["drover_writes_landed_total", writes.landed],
    ["drover_writes_parked_total", writes.parked],
    ["drover_writes_set_aside", writes.setAside ?? 0],
  ] as const satisfies readonly (readonly [MetricName, number])[];
  return [
    ...figures.flatMap(([name, value]) => sample(name, value)),
    ...histogram("drover_time_to_sheet_seconds", spans.sheet ?? [], SHEET_BUCKETS),
  ];
}

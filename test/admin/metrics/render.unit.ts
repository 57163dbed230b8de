import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";
import { ANY_CHARACTER } from "../../support/characters.ts";
import { fc } from "../../support/fast-check.ts";
import { REQUEST_BUCKETS } from "../../../src/admin/metrics/buckets.ts";
import { renderMetrics } from "../../../src/admin/metrics/render.ts";
import { METRICS } from "../../../src/admin/metrics/table.ts";
import { histogram, labelText, line } from "../../../src/admin/metrics/text.ts";
import { Histogram } from "../../../src/base/histogram.ts";
import type { Timestamp } from "../../../src/base/units.ts";
import { NOW, place, statusWith } from "../../cli/statuses.ts";
import { measured, upstream } from "../given.ts";
import { whole } from "./whole.ts";

interface Line {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** A reader of its own, as the format's page describes it. */
function read(text: string): { lines: Line[]; types: Map<string, string> } {
  const types = new Map<string, string>();
  const lines: Line[] = [];
  for (const line of text.split("\n").filter(Boolean)) {
    const [, type, of] = /^# TYPE (\S+) (\w+)$/.exec(line) ?? [];
    if (type !== undefined && of !== undefined) types.set(type, of);
    if (line.startsWith("#")) continue;
    const [, name = "", labels = "", value = ""] = /^([a-z_:][a-z0-9_:]*)(?:\{(.*)\})? (\S+)$/i.exec(line) ?? [];
    assert.notEqual(name, "", line);
    const pairs = [...labels.matchAll(/([a-z_]+)="((?:[^"\\]|\\.)*)"(?:,|$)/g)].map(([, key = "", quoted = ""]) => [
      key,
      quoted.replaceAll(/\\(.)/g, (_, char: string) => (char === "n" ? "\n" : char)),
    ]);
    lines.push({ name, labels: Object.fromEntries(pairs) as Record<string, string>, value: value === "+Inf" ? Infinity : Number(value) });
  }
  return { lines, types };
}

const family = (name: string): string => name.replace(/_(?:bucket|sum|count)$/, "");

test("every metric of the table is written where there is everything, and nothing else, with its labels", () => {
  const { lines, types } = read(renderMetrics(whole()));
  assert.deepEqual(
    [...types.keys()],
    METRICS.map(({ name }) => name),
  );
  for (const { name, type, labels } of METRICS) {
    assert.equal(types.get(name), type);
    const own = lines.filter((line) => (type === "histogram" ? family(line.name) : line.name) === name);
    assert.ok(own.length > 0, name);
    for (const line of own)
      assert.deepEqual(
        Object.keys(line.labels)
          .filter((label) => label !== "le")
          .sort(),
        [...labels].sort(),
        name,
      );
  }
});

test("to the byte: what monitoring was set up for does not change by itself", () => {
  assert.equal(renderMetrics(whole()), readFileSync(new URL("whole.txt", import.meta.url), "utf8"));
});

test("values have twelve digits at most, as if each had been rounded to them", () => {
  fc.assert(
    fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) => {
      const rounded = Number.isInteger(value) ? value : Number(value.toPrecision(12));
      assert.equal(line("drover_table_rows", value), `drover_table_rows ${String(rounded)}\n`);
    }),
  );
  assert.equal(line("drover_table_rows", Infinity), "drover_table_rows +Inf\n");
  assert.equal(line("drover_table_rows", Number.NaN), "");
});

test("no line stands twice, and every value is a number", () => {
  const { lines } = read(renderMetrics(whole()));
  const keys = lines.map(({ name, labels }) => `${name} ${JSON.stringify(labels)}`);
  assert.equal(new Set(keys).size, keys.length);
  assert.ok(lines.every(({ value }) => !Number.isNaN(value)));
});

test("counts are what the snapshot says", () => {
  const { lines } = read(renderMetrics(whole()));
  const value = (name: string, labels: Record<string, string> = {}): number | undefined =>
    lines.find((line) => line.name === name && Object.entries(labels).every(([key, text]) => line.labels[key] === text))?.value;
  assert.equal(value("drover_http_refused_total", { reason: "full" }), 3);
  assert.equal(value("drover_http_refused_total", { reason: "rate" }), 0, "known reasons stand at 0");
  assert.equal(value("drover_upstream_calls_total", { pool: "read", outcome: "locked" }), 1);
  assert.equal(value("drover_upstream_calls_total", { pool: "write", outcome: "locked" }), 0);
  assert.equal(value("drover_upstream_quota_remaining", { pool: "read" }), 47);
  assert.equal(value("drover_restarts_total", { reason: "signal:SIGSEGV" }), 1);
  assert.equal(value("drover_unexpected_restarts_total", { slot: "1" }), 3);
  assert.equal(value("drover_workers", { state: "ready" }), 2);
  assert.equal(value("drover_slots_full_in_seconds"), 2_460);
  assert.equal(value("drover_limited_by", { limit: "slots" }), 1);
  assert.equal(value("drover_limited_by", { limit: "cpu" }), 0);
  assert.equal(value("http_request_duration_seconds_count"), 100);
  assert.equal(value("drover_table_age_seconds", { table: "players" }), 5);
});

test("nothing known yet: what is not there is left out, not 0", () => {
  const snapshot = statusWith({ slots: null, upstream: null, machine: null, places: [place(0, { child: null, state: "vacant" })] });
  const { lines } = read(renderMetrics(whole({ snapshot, fullIn: null })));
  for (const name of [
    "drover_slots_used",
    "drover_upstream_state",
    "drover_machine_cpu_ratio",
    "drover_report_age_seconds",
    "drover_journal_entries",
  ])
    assert.ok(!lines.some((line) => line.name === name), name);
});

test("a lock-out is told by its end; 500 tables are told as 100", () => {
  const tables = Array.from({ length: 500 }, (_, i) => ({ name: `t${i}`, rows: i, version: 1, checkedAt: 0 as Timestamp, warnings: 0 }));
  const locked = upstream({ state: "locked", quota: { used: 51, limit: 51, lockedUntil: (NOW + 30_000) as Timestamp }, tables });
  const { lines } = read(renderMetrics(whole({ snapshot: statusWith({ upstream: locked }) })));
  assert.equal(lines.find(({ name, labels }) => name === "drover_upstream_locked_seconds" && labels["pool"] === "read")?.value, 30);
  assert.equal(lines.filter(({ name }) => name === "drover_table_rows").length, 100);
  assert.ok(!lines.some(({ name }) => name === "drover_table_age_seconds"), "never read: no age");
});

test("whatever a table is called, a line stays a line", () => {
  fc.assert(
    fc.property(fc.string({ unit: ANY_CHARACTER, minLength: 1, maxLength: 40 }), (table) => {
      const clean = table.replaceAll("\r", " ").replaceAll("\u2028", " ");
      const { lines } = read(line("drover_table_rows", 1, labelText({ table: clean })));
      assert.deepEqual(lines, [{ name: "drover_table_rows", labels: { table: clean }, value: 1 }]);
    }),
  );
});

test("a histogram's buckets rise, end at its count, and miss the truth by a sixteenth of a bound at most; the sum by 1/32", () => {
  fc.assert(
    fc.property(fc.array(fc.double({ min: 0, max: 200_000, noNaN: true }), { minLength: 1, maxLength: 60 }), (millis) => {
      const durations = new Histogram();
      for (const one of millis) durations.record(one);
      const { lines } = read(histogram("http_request_duration_seconds", durations.counts(), REQUEST_BUCKETS));
      const buckets = lines.filter(({ name }) => name.endsWith("_bucket"));
      const of = (suffix: string): number => lines.find(({ name }) => name.endsWith(suffix))?.value ?? -1;
      assert.equal(of("_count"), millis.length);
      assert.equal(buckets.at(-1)?.value, millis.length);
      for (const [i, { labels, value }] of buckets.entries()) {
        assert.ok(value >= (buckets[i - 1]?.value ?? 0), "it rises");
        const bound = labels["le"] === "+Inf" ? Infinity : Number(labels["le"]) * 1_000;
        assert.ok(value <= millis.filter((one) => Math.floor(one * 1_000) / 1_000 <= bound).length, "none too many");
        assert.ok(value >= millis.filter((one) => one <= bound * (15 / 16) - 0.001).length, "none too few");
      }
      const sum = millis.reduce((all, one) => all + one, 0) / 1_000;
      assert.ok(Math.abs(of("_sum") - sum) <= sum / 31 + millis.length * 2e-6, `${of("_sum")} of ${sum}`);
    }),
  );
});

test("a size that can't be read has no line, and the process's other lines stay", () => {
  const [first, ...rest] = measured().processes;
  assert.ok(first);
  const unread = {
    ...first,
    cpuUser: undefined,
    cpuSystem: undefined,
    rss: undefined,
    virtual: undefined,
    data: undefined,
    files: undefined,
  };
  const text = renderMetrics(whole({ measured: measured({ processes: [unread, ...rest] }) }));
  assert.doesNotMatch(text, /^process_(?:cpu|resident|virtual|heap|open)\w*\{role="master"/m);
  assert.match(text, /^nodejs_heap_size_used_bytes\{role="master"/m);
  assert.match(text, /^process_resident_memory_bytes\{role="broker"/m);
});

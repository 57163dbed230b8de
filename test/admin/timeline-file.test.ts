/** The timeline on disk: a restart keeps it, a torn line costs one event, and a file that can't be written breaks nothing. */
import assert from "node:assert/strict";
import { appendFileSync, chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { type TestContext } from "node:test";
import { pino } from "pino";
import type { Sample } from "../../src/admin/history.ts";
import { PeakMeter, peaksOf } from "../../src/admin/peaks.ts";
import { openTimelineFile, readTimeline, TIMELINE_BOUNDS, type TimelineFile } from "../../src/admin/timeline-file.ts";
import { newsOf, Timeline } from "../../src/admin/timeline.ts";
import { minutes, ms, seconds, type Timestamp } from "../../src/base/units.ts";
import { statusWith } from "../cli/statuses.ts";
import { HandClock } from "./world.ts";

interface Place {
  readonly path: string;
  readonly clock: HandClock;
  readonly lines: readonly { readonly msg: string; readonly level: number }[];
  open(): TimelineFile;
}

function place(t: TestContext): Place {
  const dir = mkdtempSync(join(tmpdir(), "drover-timeline-"));
  t.after(() => rmSync(dir, { recursive: true }));
  const lines: { msg: string; level: number }[] = [];
  const log = pino({ base: null }, { write: (line: string) => void lines.push(JSON.parse(line) as { msg: string; level: number }) });
  const [path, clock] = [join(dir, "timeline.jsonl"), new HandClock()];
  return { path, clock, lines, open: () => openTimelineFile(path, { clock, log }) };
}

const DAY = ms(24 * minutes(60));
const timelineOf = (file: TimelineFile): Timeline => new Timeline(file.told.events, (events) => file.events(events));

test("4.15: the timeline survives a restart and a torn last line, and its numbers go on", (t) => {
  const { path, clock, open } = place(t);
  const first = timelineOf(open());
  first.look(statusWith({ at: clock.wall() }));
  first.note({ what: "action", level: "info", text: "reload: done", with: { action: "reload", by: "ops" } }, clock.wall());
  appendFileSync(path, '{"kind":"event","at":"2027-01-15T08:00:0');
  clock.pass(minutes(1));
  const second = timelineOf(open());
  assert.deepEqual(
    second.since().map(({ nr, what }) => [nr, what]),
    [
      [1, "start"],
      [2, "action"],
    ],
  );
  second.look(statusWith({ at: clock.wall() }));
  assert.deepEqual(
    readTimeline(path, clock.wall()).events.map(({ nr, what }) => [nr, what]),
    [
      [1, "start"],
      [2, "action"],
      [3, "start"],
    ],
  );
  assert.equal(statSync(path).mode & 0o777, 0o600);
});

test("4.15: the timeline keeps 30 days, and never more than its bound of bytes", (t) => {
  const { path, clock, open } = place(t);
  const timeline = timelineOf(open());
  timeline.note({ what: "action", level: "info", text: "old" }, clock.wall());
  clock.pass(ms(29 * DAY));
  timeline.note({ what: "action", level: "info", text: "new" }, clock.wall());
  assert.equal(readTimeline(path, clock.wall()).events.length, 2);
  clock.pass(ms(2 * DAY));
  timeline.note({ what: "action", level: "info", text: "newer" }, clock.wall());
  assert.deepEqual(
    readTimeline(path, clock.wall()).events.map(({ text }) => text),
    ["new", "newer"],
  );
  const long = "x".repeat(300);
  let largest = 0;
  for (let i = 0; i < 8_000; i += 1) {
    timeline.note({ what: "action", level: "info", text: long }, clock.wall());
    largest = Math.max(largest, statSync(path).size);
  }
  assert.ok(largest <= TIMELINE_BOUNDS.bytes, `${largest} bytes`);
  assert.ok(readTimeline(path, clock.wall()).events.length > 2_000);
});

test("4.15: the timeline is shortened by age only by a clock that has run steadily for an hour", (t) => {
  const { path, clock, open } = place(t);
  const timeline = timelineOf(open());
  timeline.note({ what: "action", level: "info", text: "an incident" }, clock.wall());
  const right = clock.ahead;
  clock.ahead = ms(365 * DAY);
  const next = timelineOf(open());
  assert.deepEqual([next.since().length, clock.wall() > 365 * DAY], [1, true], "a clock that is ahead hides no event");
  next.note({ what: "action", level: "info", text: "a start before the clock is set" }, clock.wall());
  clock.pass(minutes(30));
  clock.ahead = right;
  next.note({ what: "action", level: "info", text: "the clock is set" }, clock.wall());
  const texts = (): string[] =>
    readFileSync(path, "utf8")
      .split("\n")
      .filter(Boolean)
      .map((line) => (JSON.parse(line) as { text: string }).text);
  assert.deepEqual(texts(), ["an incident", "a start before the clock is set", "the clock is set"]);
  assert.deepEqual(
    next.since().map(({ nr }) => nr),
    [1, 2, 3],
  );
  clock.pass(ms(32 * DAY));
  next.note({ what: "action", level: "info", text: "a month later" }, clock.wall());
  assert.deepEqual(texts(), ["a start before the clock is set", "a month later"], "a steady clock drops what is old");
});

test("4.15: a timeline that can't be written is logged once and goes on in memory", (t) => {
  const { path, clock, lines, open } = place(t);
  mkdirSync(path);
  const timeline = timelineOf(open());
  for (let i = 0; i < 5; i += 1) timeline.note({ what: "action", level: "info", text: `order ${i}` }, clock.wall());
  assert.equal(timeline.since().length, 5);
  assert.deepEqual(
    lines.map(({ level }) => level),
    [40],
  );
  assert.match(lines[0]?.msg ?? "", /timeline\.jsonl can't be used: .* The timeline is kept in memory only$/);
  rmSync(path, { recursive: true });
  timeline.note({ what: "action", level: "info", text: "after" }, clock.wall());
  assert.match(lines.at(-1)?.msg ?? "", /can be used again/);
  assert.deepEqual(
    readTimeline(path, clock.wall()).events.map(({ text }) => text),
    ["after"],
  );
  chmodSync(path, 0o600);
});

const sample = (at: number, changes: Partial<Sample> = {}): Sample => ({
  at,
  slots: 10,
  rps: 5,
  connections: 12,
  errorRate: 0,
  p95: null,
  errors: 0,
  refused: 1,
  cpu: 0.2,
  ram: null,
  ...changes,
});

test("4.15: peaks of ten minutes are the highest figures, and sums of errors and refusals", () => {
  const meter = new PeakMeter();
  assert.equal(meter.add(peaksOf(sample(0))), undefined);
  assert.equal(meter.add(peaksOf(sample(300, { slots: 180, p95: 40, cpu: 0.9 }), 1)), undefined);
  assert.equal(meter.add(peaksOf(sample(595, { rps: 70, errors: 2, slots: null }), 1)), undefined);
  assert.deepEqual(meter.add(peaksOf(sample(600))), {
    from: "1970-01-01T00:00:00.000Z",
    at: "1970-01-01T00:09:55.000Z",
    slots: 180,
    rps: 70,
    p95: 40,
    cpu: 0.9,
    ram: null,
    errors: 2,
    refused: 3,
    monitor: 2,
  });
  assert.equal(meter.end()?.from, "1970-01-01T00:10:00.000Z");
  assert.equal(meter.end(), undefined);
});

test("4.15: a test alert that arrived is an event, one that did not is a warning", () => {
  const at = (offset: number): Timestamp => (1_700_000_000_000 + offset) as Timestamp;
  const before = statusWith();
  const log = { sink: "log", at: at(0), result: "ok", why: "" } as const;
  const failed = { sink: "webhook", at: at(1), result: "failed", why: "it answered 503" } as const;
  const taken = { sink: "webhook", at: at(seconds(1)), result: "ok", why: "" } as const;
  const texts = (from: typeof before, to: typeof before) => newsOf(from, to).map(({ what, level, text }) => [what, level, text]);
  assert.deepEqual(texts(before, statusWith({ alertTests: [log, failed] })), [
    ["delivered", "warning", "the webhook did not take a test alert: it answered 503"],
  ]);
  assert.deepEqual(texts(statusWith({ alertTests: [log, failed] }), statusWith({ alertTests: [log, taken] })), [
    ["delivered", "info", "the webhook took a test alert"],
  ]);
  assert.deepEqual(texts(statusWith({ alertTests: [taken] }), statusWith({ alertTests: [taken] })), []);
});

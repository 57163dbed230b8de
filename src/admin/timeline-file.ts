/** The timeline on disk: events and peaks of the last 30 days, one JSON object a line. The master alone writes it. */
import type { Clock } from "../base/clock.ts";
import { ClockWatch, SETTLED } from "../base/clock-watch.ts";
import { messageOf } from "../base/errors.ts";
import { appendLines, readLines, shortenLines, type LineRecord } from "../base/linefile.ts";
import type { Logger } from "../base/log.ts";
import { between, mebibytes, minutes, ms, type Instant, type Timestamp } from "../base/units.ts";
import type { Peaks } from "./peaks.ts";
import type { TimelineEvent } from "./timeline.ts";

/** In the data directory. */
export const TIMELINE_FILE = "timeline.jsonl";
const DAY = minutes(24 * 60);
export const TIMELINE_BOUNDS = { bytes: mebibytes(2), age: ms(30 * DAY) } as const;

export interface Told {
  readonly events: readonly TimelineEvent[];
  readonly peaks: readonly Peaks[];
}

/** @throws Error with `code` when the file can't be read. */
export function readTimeline(path: string, now: Timestamp, { age } = TIMELINE_BOUNDS): Told {
  const records = readLines(path, { age }, now);
  return { events: records.filter(isEvent).map(withoutKind), peaks: records.filter(isPeaks).map(withoutKind) };
}

const isEvent = (one: LineRecord): one is LineRecord & TimelineEvent =>
  one["kind"] === "event" && typeof one["text"] === "string" && typeof one["what"] === "string" && Number.isSafeInteger(one["nr"]);
const isPeaks = (one: LineRecord): one is LineRecord & Peaks => one["kind"] === "peaks" && typeof one["from"] === "string";
function withoutKind<T extends LineRecord>({ kind: _kind, ...rest }: T): T {
  return rest as unknown as T;
}

export interface TimelineFile {
  /** Of earlier lives of the daemon. */
  readonly told: Told;
  /** Never throws: while the file can't be written the timeline goes on in memory, and the log says so once. */
  events(events: readonly TimelineEvent[]): void;
  peaks(peaks: Peaks): void;
}

export function openTimelineFile(path: string, { clock, log }: { readonly clock: Clock; readonly log: Logger }): TimelineFile {
  let failing = false;
  let tidiedAt: Instant | undefined;
  const watch = new ClockWatch(clock);
  /** By age once a day, and only by a clock that has settled: what is dropped is lost. */
  const tidy = (): void => {
    watch.look();
    const now = clock.now();
    if (watch.steadyFor < SETTLED || (tidiedAt !== undefined && between(tidiedAt, now) <= DAY)) return;
    shortenLines(path, TIMELINE_BOUNDS, clock.wall());
    tidiedAt = now;
  };
  const attempt = <T>(work: () => T): T | undefined => {
    try {
      const done = work();
      if (failing) log.info({ path }, `${path} can be used again: the timeline is kept on disk`);
      failing = false;
      return done;
    } catch (error) {
      if (!failing) log.warn({ err: error, path }, `${path} can't be used: ${messageOf(error)}. The timeline is kept in memory only`);
      failing = true;
      return undefined;
    }
  };
  const append = (records: readonly LineRecord[]): void => {
    attempt(() => {
      tidy();
      appendLines(path, records, TIMELINE_BOUNDS);
    });
  };
  // All of it: a clock that is ahead at the start must not hide events, nor begin their numbers again.
  const told = attempt(() => readTimeline(path, clock.wall(), { ...TIMELINE_BOUNDS, age: ms(Infinity) }));
  return {
    told: told ?? { events: [], peaks: [] },
    events: (events) => append(events.map((event) => ({ ...event, kind: "event" }))),
    peaks: (peaks) => append([{ ...peaks, kind: "peaks" }]),
  };
}

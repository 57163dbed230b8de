/** Counters of the last minutes, and what the alerts are read from: pure. */
import type { Measured } from "../../base/measured.ts";
import { between, minutes, type Instant, type Ms } from "../../base/units.ts";
import type { Snapshot } from "../../master/snapshot.ts";
import type { ScheduleView } from "../slots/view.ts";
import { WINDOWS } from "./rules.ts";

/** Counters of the last minutes: what grew of late is an edge. */
export interface Past {
  readonly restarts: readonly Mark[];
  readonly limited: readonly Mark[];
  readonly parked: readonly Mark[];
  /** Answers; those with a status from 500 on that are no deliberate refusal; such refusals. */
  readonly answers: readonly Mark[];
  readonly errors: readonly Mark[];
  readonly refusals: readonly Mark[];
}
interface Mark {
  readonly at: Instant;
  readonly total: number;
}
/** At the start of the daemon: nothing was restarted or refused yet. What was parked is kept over restarts, so its first count is no growth. */
export function pastFrom(at: Instant): Past {
  const none = [{ at, total: 0 }];
  return { restarts: none, limited: none, parked: [], answers: none, errors: none, refusals: none };
}

export interface Seen {
  readonly snapshot: Snapshot;
  readonly measured: Measured;
  /** Of the last reload: why it was refused. */
  readonly refusedReload: string | null;
  readonly schedule: ScheduleView | null;
  /** How long at least 80 % of the slots were taken in the last 24 hours. */
  readonly above80: Ms;
  readonly now: Instant;
}

/** The past with this moment in it. */
export function remembering(past: Past, { snapshot, measured, now }: Seen): Past {
  const writes = snapshot.upstream?.writes;
  const { served, status5xx, refused5xx } = snapshot.counters;
  return {
    restarts: marked(
      past.restarts,
      now,
      snapshot.places.reduce((sum, { restarts }) => sum + restarts, 0),
    ),
    limited: marked(past.limited, now, limitedCalls(measured)),
    parked: writes === undefined ? past.parked : marked(past.parked, now, writes.parked),
    answers: marked(past.answers, now, served),
    errors: marked(past.errors, now, status5xx - refused5xx),
    refusals: marked(past.refusals, now, refused5xx),
  };
}

const OLDEST = Math.max(...Object.values(WINDOWS)) + minutes(1);
/** A total that fell (a place went with a `scale`) begins anew: what is gone is no growth, and what is left no fall. */
function marked(marks: readonly Mark[], at: Instant, total: number): readonly Mark[] {
  const last = marks.at(-1);
  const kept =
    last !== undefined && total < last.total ? marks.map((mark) => ({ ...mark, total: mark.total - (last.total - total) })) : marks;
  return [...kept.filter((mark) => between(mark.at, at) <= OLDEST), { at, total }];
}

/** How much a counter grew within its window. */
export function grown(past: Past, what: keyof Past, now: Instant): number {
  const marks = past[what];
  const from = marks.findLast(({ at }) => between(at, now) >= WINDOWS[what]) ?? marks[0];
  return Math.max(0, (marks.at(-1)?.total ?? 0) - (from?.total ?? 0));
}

const limitedCalls = ({ counts }: Measured): number => (counts["calls.read.locked"] ?? 0) + (counts["calls.write.locked"] ?? 0);

import { impossible } from "../../../base/never.ts";
import { after, elapsed, later, ms, type Instant, type Timestamp } from "../../../base/units.ts";
import type { Entry, Recovered } from "../../journal/journal.ts";
import type { Delivery } from "../../../sheets/writes.ts";
import { sealing, sending } from "./batch.ts";
import { markOf } from "./fence.ts";
import { heading } from "./headers.ts";
import { idle } from "./idle.ts";
import { settling } from "./landing.ts";
import { FENCE_LIFE, GOOGLE_WORKS } from "./limits.ts";
import { locating, naming } from "./look.ts";
import type { Event, Handler, HandlerOf, Job, Op, State, World } from "./model.ts";
import { holding, opening } from "./open.ts";
import { Queue, rowName } from "./queue.ts";
import { readingBack, waiting } from "./readback.ts";
import { undoing, writing } from "./rows.ts";
import { Stats } from "./stats.ts";
import { confirming, looking, voiding } from "./verdict.ts";

const HANDLERS: { readonly [K in Job["is"]]: HandlerOf<K> } = {
  opening,
  holding,
  idle,
  naming,
  heading,
  locating,
  sealing,
  sending,
  looking,
  confirming,
  voiding,
  waiting,
  readingBack,
  settling,
  writing,
  undoing,
};

type Moment = Pick<World, "now" | "wall">;

/**
 * When a fence that an earlier life settled may go. The wall clock may have been set since: not before all that life sent has ended,
 * and not later than one that is settled now.
 */
function mayGoFrom(settledAt: Timestamp, now: Instant, wall: Timestamp): Instant {
  const left = elapsed(wall, later(settledAt, FENCE_LIFE));
  return after(now, ms(Math.min(FENCE_LIFE, Math.max(GOOGLE_WORKS, left))));
}

/** @param proven what an earlier life found out about the spreadsheet's fences. A bad finding is asked for again. */
export function begin(recovered: Recovered, proven: Delivery | undefined, { now, wall }: Moment): State {
  const queue = new Queue();
  queue.add(recovered.entries);
  return {
    mark: markOf(recovered.identity),
    queue,
    stats: new Stats(recovered.landed, recovered.parked),
    job: { is: "opening", held: false },
    wanted: new Set(),
    next: [],
    left: { entries: recovered.entries, batches: recovered.batches },
    nextId: recovered.nextMetadataId,
    delivery: proven === "exactly-once" ? proven : "unproven",
    proveAt: now,
    fences: new Map(recovered.fences.map(({ id, settledAt }) => [id, mayGoFrom(settledAt, now, wall)])),
    drops: new Set(),
    tags: new Map(),
    ids: undefined,
    lostTabs: new Map(),
    located: new Map(),
    headers: new Map(),
    guards: new Map(),
    guardsFrom: now,
    strays: new Map(),
    cleared: new Map(),
    wrote: new Map(),
    headersShown: "unknown",
    headersFrom: now,
    moved: new Set(),
    found: new Set(),
    troubles: new Map(),
    parkedRows: new Map(),
    pieces: [],
    ridersFrom: now,
    riderFailures: 0,
    turn: "fresh",
    lastWas: "rows",
    quiet: undefined,
    failures: 0,
    notBefore: now,
  };
}

/** More was accepted. Nothing is begun by it. */
export function accept(state: State, entries: readonly Entry[], now: Instant): void {
  state.queue.add(entries);
  if (entries.length > 0) state.quiet = { first: state.quiet?.first ?? now, last: now };
}

/** These rows' writes are tried again although they were refused: somebody has mended the sheet. */
export function forgive(state: State, entries: readonly Entry[]): void {
  for (const name of entries.map(rowName)) {
    state.parkedRows.delete(name);
    state.troubles.delete(name);
  }
}

/**
 * The whole flusher: takes the result of the last thing done, and names the next. Reads no clock and makes no call; the same state,
 * event and world always give the same. The state is the core's own, and is changed in place: it may hold many thousand writes.
 */
export function step(state: State, event: Event, world: World): Op {
  if (event.type !== "woke") handlerOf(state.job).on(state.job, event, state, world);
  for (let turns = 0; turns < 1_000; turns += 1) {
    const op = handlerOf(state.job).go(state.job, state, world);
    if (op !== undefined) return op;
  }
  return impossible(state.job as never);
}

const handlerOf = (job: Job): Handler<Job> => HANDLERS[job.is];

/**
 * The beginning of a life. The spreadsheet is asked once which metadata of ours stand, because it alone knows for certain:
 *
 * - Tags of the last life are removed before anything is pinned: a write of rows that was on its way when that life ended
 *   finds nothing to write to.
 * - A number of ours that is larger than the journal's next one shows that the journal is an older copy. Then nothing is sent until
 *   every request of the later life has ended; what its newest fence says is settled is taken as landed, and every other append is looked
 *   for by its key before it is sent.
 */
import { after } from "../../../base/units.ts";
import type { Entry } from "../../journal/journal.ts";
import type { FoundMetadata } from "../port.ts";
import { readMark, type Mark } from "./fence.ts";
import { FENCE_LIFE, GOOGLE_WORKS, LITTER_DAYS, LITTER_STANDS } from "./limits.ts";
import type { HandlerOf, Job, State, World } from "./model.ts";
import { recoveredFlight } from "./seal.ts";
import { failed, finish, hold, settlement, worked } from "./steps.ts";
import type { Batch } from "../../journal/journal.ts";

const DAY = 86_400;

interface Known extends Mark {
  readonly id: number;
}

const marks = (found: readonly FoundMetadata[]): readonly Known[] =>
  found.flatMap(({ id, value }) => {
    const mark = readMark(value);
    return mark === undefined ? [] : [{ id, ...mark }];
  });

export const opening: HandlerOf<"opening"> = {
  go(_, state, world) {
    if (state.queue.size + state.wanted.size === 0 && (state.left?.batches.length ?? 0) === 0) return { do: "sleep", until: undefined }; // nothing to write yet
    return hold(world.mayRead, state, world) ?? { do: "search" };
  },
  on(job, event, state, world) {
    if (event.type !== "searched") return;
    if (event.outcome.is !== "ok") return failed(event.outcome, state, world);
    worked(state);
    const known = marks(event.outcome.value);
    const mine = known.filter(({ mark }) => mark === state.mark);
    const newest = mine.reduce((most, { id, kind }) => (kind === "guard" ? most : Math.max(most, id)), 0);
    const { left } = state;
    if (left !== undefined && newest >= state.nextId && !job.held) {
      state.job = { is: "holding", until: after(world.now, GOOGLE_WORKS) };
      return;
    }
    reconcile(state, world, known);
    if (left !== undefined)
      state.next.unshift(...(newest < state.nextId ? resume(left.batches, state, world) : rewind(left, mine, state, world)));
    state.nextId = Math.max(state.nextId, newest + 1);
    state.left = undefined;
    finish(state);
  },
};

export const holding: HandlerOf<"holding"> = {
  go(job, state, world) {
    const sleep = hold(job.until, state, world);
    if (sleep === undefined) state.job = { is: "opening", held: true };
    return sleep;
  },
  on() {},
};

/** What stands is known now: nothing else is removed, and nothing that stands is forgotten. */
function reconcile(state: State, world: World, known: readonly Known[]): void {
  const standing = new Set(known.map(({ id }) => id));
  const unsettled = new Set(state.left?.batches.map((batch) => batch.fence.id));
  for (const id of state.drops) if (!standing.has(id)) state.drops.delete(id);
  const gone = [...state.fences.keys()].filter((id) => !standing.has(id));
  for (const id of gone) state.fences.delete(id);
  if (gone.length > 0) state.next.unshift({ is: "settling", flight: undefined, how: settlement(world, {}), gone });
  for (const [name, tag] of state.tags) if (!standing.has(tag.id)) state.tags.delete(name);
  const used = new Set([
    ...[...state.tags.values()].map(({ id }) => id),
    ...[...state.guards.values()].flatMap(({ ids }) => [...ids.values()]),
  ]);
  for (const { id, mark, kind } of known) {
    if (mark !== state.mark || unsettled.has(id)) continue;
    if (kind === "fence" || kind === "void") state.fences.set(id, state.fences.get(id) ?? after(world.now, FENCE_LIFE));
    else if (!used.has(id)) state.drops.add(id);
  }
  for (const id of litter(known, state.mark, world)) state.fences.set(id, after(world.now, LITTER_STANDS));
}

/** What others left behind so long ago that nobody can need it. */
function litter(known: readonly Known[], mine: string, world: World): readonly number[] {
  const others = Map.groupBy(
    known.filter(({ mark }) => mark !== mine),
    ({ mark }) => mark,
  );
  const now = world.wall / 1_000;
  return [...others.values()].flatMap((theirs) => {
    const newest = Math.max(...theirs.filter(({ kind }) => kind === "fence" || kind === "void").map(({ id }) => id));
    return theirs.filter(({ id, at }) => now - at > DAY * (id === newest ? LITTER_DAYS.newest : LITTER_DAYS.any)).map(({ id }) => id);
  });
}

const resume = (batches: readonly Batch[], state: State, world: World): Job[] =>
  batches.map((batch) => {
    const flight = recoveredFlight(batch, state, world);
    if (flight.fenced || batch.sentAt === undefined) return { is: "sending", flight };
    return { is: "waiting", flight, until: after(world.now, GOOGLE_WORKS) }; // by the wall clock it may seem over: that may have been set
  });

function rewind(left: NonNullable<State["left"]>, mine: readonly Known[], state: State, world: World): Job[] {
  const last = mine
    .filter(({ kind }) => kind === "fence")
    .reduce<Known | undefined>((a, b) => (a === undefined || b.id > a.id ? b : a), undefined);
  const isSettled = ({ lsn, at }: Entry): boolean => last !== undefined && lsn <= last.upTo && Math.floor(at / 1_000) < last.at;
  const settled = new Set(left.entries.filter(isSettled).map(({ lsn }) => lsn));
  const jobs = left.batches.map((batch): Job => {
    const flight = { ...recoveredFlight(batch, state, world), unsure: true, refusal: "the journal is an older copy" };
    if (!flight.fenced) return { is: "waiting", flight, until: world.now };
    const how = settlement(world, { landed: batch.lsns });
    return batch.lsns.every((lsn) => settled.has(lsn)) ? { is: "settling", flight, how, gone: [] } : { is: "voiding", flight };
  });
  const how = settlement(world, { landed: [...settled] });
  const entries = left.entries.filter((entry) => entry.op === "append" && !settled.has(entry.lsn));
  const tables = [...new Set(entries.map(({ table }) => table))];
  return [
    ...jobs,
    { is: "settling", flight: undefined, how, gone: [] },
    { is: "readingBack", flight: undefined, tables, entries, landed: [] },
  ];
}

/** What several jobs do to the state. */
import { after, ms, seconds, type Instant } from "../../../base/units.ts";
import type { Settlement } from "../../journal/journal.ts";
import type { Outcome } from "../../upstream.ts";
import type { WriteOutcome } from "../port.ts";
import { FENCE_LIFE, LONGEST_BACKOFF, LONGEST_LOST, MOST_TAGS } from "./limits.ts";
import type { Flight, Op, State, World } from "./model.ts";
import type { Located, Tag } from "./tagged.ts";
import { rowName } from "./queue.ts";

const FIRST_BACKOFF = 500;
const MOST_REMEMBERED = 1_000;
const LARGEST_ID = 2 ** 31 - 10_000;

export const latest = (...instants: readonly Instant[]): Instant => Math.max(...instants) as Instant;

/** The pause after the nth failure: anything from nothing to 0.5 s, doubled each time up to 30 s ("full jitter"). */
export const jitter = (failures: number, random: number): number =>
  random * Math.min(LONGEST_BACKOFF, FIRST_BACKOFF * 2 ** Math.min(20, failures));

/** A fence whose batch is settled stands until every attempt of the batch has ended. */
export const fenceStands = (state: State, id: number, world: World): unknown => state.fences.set(id, after(world.now, FENCE_LIFE));

/** @returns a sleep until the moment, or undefined when it has come. */
export function hold(at: Instant, state: State, world: World): Op | undefined {
  const until = latest(at, state.notBefore);
  return until > world.now ? { do: "sleep", until } : undefined;
}

/** Something was in vain: a pause follows. */
export function failed(outcome: Pick<Outcome<unknown> | WriteOutcome<unknown>, "is">, state: State, world: World): void {
  if (outcome.is === "locked") return; // the ledger is shut until it ends
  state.failures += 1;
  const pause = outcome.is === "denied" ? LONGEST_BACKOFF : ms(jitter(state.failures, world.random));
  state.notBefore = after(world.now, pause);
}

export function worked(state: State): void {
  state.failures = 0;
}

/** The job is done: what was put first comes next. */
export function finish(state: State): void {
  state.job = state.next.shift() ?? { is: "idle" };
}

/** @returns a number no metadata of ours has had; `count` of them in a row are taken. */
export function takeIds(state: State, count: number, random: number): number {
  if (state.nextId > LARGEST_ID) state.nextId = randomId(random);
  const id = state.nextId;
  state.nextId += count;
  return id;
}

export const randomId = (random: number): number => 1 + Math.floor(random * 2 ** 30);

/** Remembers a row's tag as the last used; those unused the longest go. */
export function keepTag(state: State, tag: Tag): void {
  const name = rowName(tag);
  state.tags.delete(name);
  state.tags.set(name, tag);
  for (const [other, { id }] of state.tags) {
    if (state.tags.size <= MOST_TAGS) return;
    state.tags.delete(other);
    state.drops.add(id);
  }
}

/** The row's tag must not be used any more, and no write that is on its way to it must find it. */
export function dropTag(state: State, tag: Tag): void {
  state.tags.delete(rowName(tag));
  state.drops.add(tag.id);
}

/** What is known of where a table's rows stand. */
export function locatedIn(state: State, table: string): Located {
  const known: Located = state.located.get(table) ?? { at: undefined, rows: new Map() };
  state.located.set(table, known);
  return known;
}

/** As `dropTag`; where the row was pinned is still the best guess. */
export function renewTag(state: State, tag: Tag): void {
  dropTag(state, tag);
  locatedIn(state, tag.table).rows.set(tag.key, tag.row);
}

/** @param lost where the row stands must be read anew. */
export function trouble(state: State, name: string, how: { readonly lost: boolean; readonly refused?: boolean }, world: World): void {
  const before = state.troubles.get(name);
  const count = (before?.count ?? 0) + 1;
  const pause = Math.min(LONGEST_LOST, jitter(count, world.random)); // the quota bounds the calls: a longer pause would only delay
  const notBefore = count === 1 ? world.now : after(world.now, ms(pause));
  state.troubles.set(name, { count, notBefore, lost: how.lost, refused: how.refused ?? before?.refused ?? false });
}

/** A write, and the later ones of its row that build upon it: all after its append; after its delete a new append, which would double it. */
export function parkedWith(state: State, lsn: number, reason: string): Settlement["parked"] {
  const entry = state.queue.get(lsn);
  if (entry === undefined) return [];
  if (entry.op === "update") return [{ lsn, reason }];
  if (state.parkedRows.size >= MOST_REMEMBERED) state.parkedRows.clear();
  if (entry.op === "append") state.parkedRows.set(rowName(entry), reason);
  return [lsn, ...state.queue.after(entry)].map((each) => ({ lsn: each, reason }));
}

/** A settlement that nothing is in yet. */
export const settlement = (world: World, part: Partial<Settlement>): Settlement => ({
  landed: [],
  parked: [],
  again: [],
  ...part,
  at: world.wall,
});

/** Writes down how a batch, or changes without one, ended. @param gone fences that it removed. */
export function settle(state: State, flight: Flight | undefined, how: Settlement, gone: readonly number[] = []): void {
  state.job = { is: "settling", flight, how, gone };
}

/** Takes what is settled out of everything that waits. */
export function applySettled(state: State, how: Settlement): void {
  for (const lsn of how.landed) {
    const entry = state.queue.remove(lsn);
    if (entry === undefined) continue;
    state.stats.land(entry.at, how.at);
    state.troubles.delete(rowName(entry));
    if (entry.op === "append") state.parkedRows.delete(rowName(entry));
  }
  for (const { lsn } of how.parked) {
    const entry = state.queue.remove(lsn);
    if (entry === undefined) continue;
    state.stats.parked += 1;
    state.strays.delete(rowName(entry));
  }
  state.pieces = state.pieces.map((piece) => piece.filter((lsn) => state.queue.get(lsn) !== undefined)).filter((piece) => piece.length > 0);
}

/** After a refusal nothing that was known of tabs and rows is trusted. */
export function forgetPlaces(state: State): void {
  state.ids = undefined;
  state.lostTabs.clear();
  for (const located of state.located.values()) located.rows.clear();
}

export const soon = (world: World): Instant => after(world.now, seconds(1));

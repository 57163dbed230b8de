/** Nothing is under way: what comes next. */
import { after, type Instant } from "../../../base/units.ts";
import { isGuarded, type Guarded } from "./guards.ts";
import { unseen } from "./headers.ts";
import { LOCATE_APART, LONGEST_QUIET, LOOK_AGAIN, LOST_TAB, MOST_FENCES, QUIET } from "./limits.ts";
import type { HandlerOf, Job, Op, State, World } from "./model.ts";
import { plan, type Plan } from "./plan.ts";
import { writingJob } from "./rows.ts";
import { makeFlight, overdueFences } from "./seal.ts";
import { hold, latest, parkedWith, settle, settlement } from "./steps.ts";

export const idle: HandlerOf<"idle"> = {
  go(_, state, world) {
    if (state.queue.size === 0 && (state.wanted.size === 0 || state.delivery === "exactly-once")) return { do: "sleep", until: undefined };
    const sleep = hold(latest(world.mayWrite, quietAt(state, world)), state, world) ?? fenced(state, world);
    if (sleep !== undefined) return sleep;
    if (state.ids === undefined) return begin(state, { is: "naming" });
    if (state.delivery === "unproven" || (state.delivery === "at-least-once" && state.proveAt <= world.now)) return prove(state, world);
    return choose(state, world);
  },
  on() {},
};

function begin(state: State, job: Job): undefined {
  state.job = job;
}

/** More may come within moments: it goes along. Not when the quota made us wait already. */
function quietAt({ quiet, pieces }: State, world: World): World["now"] {
  if (quiet === undefined || pieces.length > 0) return world.now;
  return Math.min(after(quiet.last, QUIET), after(quiet.first, LONGEST_QUIET)) as World["now"];
}

/** As many fences stand as may: until one can be removed. */
function fenced(state: State, world: World): Op | undefined {
  if (state.fences.size < MOST_FENCES || overdueFences(state, world.now).length > 0) return undefined;
  return { do: "sleep", until: Math.min(...state.fences.values()) as Instant };
}

/** The proof also creates the guards of the tables that wait, so that these cost no call of their own. */
function prove(state: State, world: World): undefined {
  const guarded = state.guardsFrom <= world.now ? tablesOf([...plan(state, world, undefined).units, ...expected(state, world)]) : [];
  state.wanted.clear();
  const contents = { units: [], wishes: [], riders: false, shows: guarded.length > 0, proof: true, guarded };
  state.job = { is: "sealing", flight: makeFlight(contents, state, world) };
}

/** Tables whose first write waits for this proof. */
function expected({ wanted, ids }: State, world: World): readonly Guarded[] {
  return [...wanted].flatMap((table) => {
    const layout = world.layout(table);
    const sheetId = layout === undefined ? undefined : ids?.get(layout.tab);
    return layout === undefined || sheetId === undefined ? [] : [{ layout, sheetId }];
  });
}

const tablesOf = (units: readonly Guarded[]): readonly Guarded[] => [
  ...new Map(units.map(({ layout, sheetId }) => [layout.table, { layout, sheetId }])).values(),
];

/** Pieces of refused batches and what waits behind them take turns, so that a bad row does not hold up others. */
function choose(state: State, world: World): Op | undefined {
  state.quiet = undefined;
  const [piece] = state.pieces;
  const order = state.turn === "piece" ? [undefined, piece] : [piece, undefined];
  for (const part of piece === undefined ? [undefined] : order) {
    const job = jobFor(plan(state, world, part), part === undefined, state, world);
    if (job === undefined) continue;
    state.turn = part === undefined ? "fresh" : "piece";
    return begin(state, job);
  }
  return { do: "sleep", until: after(world.now, LOOK_AGAIN) };
}

/** @param whole it is no part of a batch that was refused. @returns what is to be done of a plan; undefined: nothing of it can go now. */
function jobFor(wanted: Plan, whole: boolean, state: State, world: World): Job | undefined {
  const { units, pins, rows, unlocated, parked, empty, unnamed } = wanted;
  if (parked.length + empty.length > 0) {
    const all = parked.flatMap(({ lsn, reason }) => parkedWith(state, lsn, reason));
    settle(state, undefined, settlement(world, { parked: [...new Map(all.map((each) => [each.lsn, each])).values()], landed: empty }));
    return state.job;
  }
  const lost = [...unnamed].filter(([, tab]) => (state.lostTabs.get(tab) ?? world.now) <= world.now);
  if (lost.length > 0) {
    for (const [table, tab] of lost) {
      state.lostTabs.set(tab, after(world.now, LOST_TAB));
      state.moved.add(table);
    }
    return { is: "naming" };
  }
  const guarding = whole && state.guardsFrom <= world.now;
  const ready = guarding ? units.filter((unit) => isGuarded(unit, state)) : units;
  const used = [...ready, ...rows].map(({ layout }) => layout); // a pin writes no cell, and its batch shows the header row
  const layouts = unseen(used, state, world);
  if (layouts.length > 0) return { is: "heading", layouts };
  for (const [table, keys] of unlocated) {
    const at = state.located.get(table)?.at;
    if (world.mayRead <= world.now && (at === undefined || after(at, LOCATE_APART) <= world.now)) return { is: "locating", table, keys };
  }
  const riders = state.ridersFrom <= world.now;
  const batch = units.length > 0 || (riders && pins.length > 0);
  if (rows.length > 0 && (!batch || state.lastWas === "batch")) {
    state.lastWas = "rows";
    return writingJob(rows, state, world);
  }
  if (!batch) return undefined;
  const guarded = guarding ? tablesOf(units) : [];
  const shows = guarded.length > 0 || (whole && riders && units.length > 0);
  state.lastWas = "batch";
  return { is: "sealing", flight: makeFlight({ units: ready, wishes: pins, riders, shows, proof: false, guarded }, state, world) };
}

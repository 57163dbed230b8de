/**
 * The launch schedule: raises the maximum of slots step by step. Pure: `decide(state, event,
 * policy) → [state, actions]`.
 *
 *   waits     the next step's day has not come       → proves, on that day
 *   proves    the step is due and every guard holds  → waits or complete, after 10 minutes
 *   blocked   the step is due and a guard does not   → proves, when all hold
 *   complete  the last step was taken
 *
 * Across these, the operator's mode: `follows`, `held` (no step is taken) or `fixed` (another
 * maximum counts, and no step is taken).
 *
 * Invariants: the step never goes back, whatever the clock does. At most one step is taken in 10
 * minutes, also when several days were missed. A step of the wall clock, a hold and a restart begin
 * the 10 minutes again. No session is ended: only new ones meet a maximum. Unless the schedule has
 * a date, its day follows the last day seen, and the clock only as calendar.ts allows.
 */
import { daysBetween, daysLater } from "../../base/day.ts";
import { impossible } from "../../base/never.ts";
import { between, minutes, type Instant, type Ms, type Timestamp } from "../../base/units.ts";
import type { SlotSchedule, SlotStep } from "../../settings/schedule.ts";
import { judge, seenNext, type Seen, type Today } from "./calendar.ts";
import { breaches, lookAtGuards, raiseGuards, unknownGuards, type Breach, type GuardReadings, type GuardStates } from "./guards.ts";

/** The operator's last order. `before`: the mode to which the schedule's own maximum returns. */
export type Mode =
  | { readonly is: "follows" }
  | { readonly is: "held"; readonly since: Timestamp }
  | { readonly is: "fixed"; readonly max: number; readonly since: Timestamp; readonly before: Exclude<Mode, { is: "fixed" }> };

/** What is on disk. */
export interface Progress {
  /** The date of day 1, unless the schedule names it. */
  readonly first: string;
  /** The day of the launch counts up to it. */
  readonly seen: Seen;
  /** Index of the step that counts. */
  readonly step: number;
  /** Its maximum: finds the step again in a schedule that was changed. */
  readonly max: number;
  readonly mode: Mode;
}

/** Files of older versions have no `seen`. */
export type KeptProgress = Omit<Progress, "seen"> & Partial<Pick<Progress, "seen">>;

export type Phase =
  | { readonly is: "waits" }
  | { readonly is: "proves"; readonly since: Instant }
  | { readonly is: "blocked"; readonly by: readonly [Breach, ...Breach[]] }
  | { readonly is: "complete" };

export interface ScheduleState {
  readonly progress: Progress;
  readonly phase: Phase;
  readonly guards: GuardStates;
  /** The clock may have been set, and the log says so. */
  readonly doubts: boolean;
}

export interface SchedulePolicy {
  readonly schedule: SlotSchedule;
  /** The 95th percentile of a minute's answers from which on the service is slow. */
  readonly slow: Ms;
}

export type ScheduleEvent =
  /** Days are of the operator's time zone. `stepped`: the clock was set since the last look. */
  | {
      readonly type: "look";
      readonly now: Instant;
      readonly wall: Timestamp;
      readonly today: Today;
      readonly stepped: boolean;
      readonly readings: GuardReadings;
    }
  | { readonly type: "hold"; readonly wall: Timestamp }
  | { readonly type: "resume" }
  /** Another maximum; the schedule's own returns to the mode before. */
  | { readonly type: "fix"; readonly max: number; readonly wall: Timestamp };

export type ScheduleAction =
  | { readonly do: "save" }
  | { readonly do: "raise"; readonly from: number; readonly to: SlotStep; readonly day: number }
  | { readonly do: "say"; readonly level: "info" | "warn"; readonly text: string };

type Step = readonly [ScheduleState, readonly ScheduleAction[]];

/** How long every guard must hold before a step, and the least time between two steps. */
export const PROVEN = minutes(10);

const stepAt = ({ steps }: SlotSchedule, index: number): SlotStep => steps[index] ?? steps.at(-1) ?? { day: 1, max: 1 };
export const scheduled = ({ progress }: ScheduleState, { schedule }: SchedulePolicy): number => stepAt(schedule, progress.step).max;
export const nextStep = ({ progress }: ScheduleState, { schedule }: SchedulePolicy): SlotStep | undefined =>
  schedule.steps[progress.step + 1];
const firstDay = ({ progress }: ScheduleState, { schedule }: SchedulePolicy): string => schedule.from ?? progress.first;
/** Day of the launch: 1 on the first, less before it. @param today counts if the schedule has a date. */
export const dayOfLaunch = (state: ScheduleState, policy: SchedulePolicy, today: string): number =>
  daysBetween(firstDay(state, policy), policy.schedule.from === undefined ? state.progress.seen.day : today) + 1;
/** The date on which a step is due. */
export const dueOn = (state: ScheduleState, policy: SchedulePolicy, { day }: SlotStep): string =>
  daysLater(firstDay(state, policy), day - 1);

/** How many slots there are to be. */
export const maximum = (state: ScheduleState, policy: SchedulePolicy): number =>
  state.progress.mode.is === "fixed" ? state.progress.mode.max : scheduled(state, policy);

/** A schedule that begins, or goes on where the disk says. */
export function begin(kept: KeptProgress | undefined, { schedule }: SchedulePolicy, { day, boot }: Omit<Today, "steady">): ScheduleState {
  const { first, seen, ...rest } = kept ?? { first: day, step: 0, max: stepAt(schedule, 0).max, mode: { is: "follows" } as const };
  const last = seen ?? { day: first > day ? first : day, boot, isSettled: false };
  return { progress: placed({ first, seen: last, ...rest }, schedule), phase: { is: "waits" }, guards: {}, doubts: false };
}

/**
 * The same step in a schedule that may have been changed: the highest that is not above what was
 * reached.
 */
function placed(progress: Progress, schedule: SlotSchedule): Progress {
  const same = stepAt(schedule, progress.step);
  if (progress.step < schedule.steps.length && same.max === progress.max) return progress;
  const step = Math.max(
    0,
    schedule.steps.findLastIndex(({ max }) => max <= progress.max),
  );
  return { ...progress, step, max: stepAt(schedule, step).max };
}

export function decide(state: ScheduleState, event: ScheduleEvent, policy: SchedulePolicy): Step {
  switch (event.type) {
    case "look":
      return look(state, event, policy);
    case "hold":
      if (state.progress.mode.is === "held") return [state, []];
      return changed(state, { is: "held", since: event.wall }, "the launch schedule is held: no step is taken until it is resumed");
    case "resume":
      if (state.progress.mode.is === "follows") return [state, []];
      return changed(state, { is: "follows" }, `the launch schedule goes on with ${scheduled(state, policy)} slots`);
    case "fix":
      return fix(state, event, policy);
    default:
      return impossible(event);
  }
}

function changed(state: ScheduleState, mode: Mode, text: string): Step {
  const next: ScheduleState = { ...state, progress: { ...state.progress, mode }, phase: { is: "waits" } };
  return [next, [{ do: "save" }, { do: "say", level: "info", text }]];
}

function fix(state: ScheduleState, { max, wall }: Extract<ScheduleEvent, { type: "fix" }>, policy: SchedulePolicy): Step {
  const { mode } = state.progress;
  const before = mode.is === "fixed" ? mode.before : mode;
  if (max !== scheduled(state, policy))
    return changed(
      state,
      { is: "fixed", max, since: wall, before },
      `${max} slots count instead of the launch schedule's until it is resumed`,
    );
  return mode.is === "fixed" ? changed(state, before, `the launch schedule's ${max} slots count again`) : [state, []];
}

function look(before: ScheduleState, event: Extract<ScheduleEvent, { type: "look" }>, policy: SchedulePolicy): Step {
  const { now, wall, today, stepped, readings } = event;
  const rules = raiseGuards(policy.slow);
  const guards = lookAtGuards(rules, before.guards, readings, { now, wall });
  const [state, moved] = dated({ ...before, guards }, policy, today);
  const next = nextStep(state, policy);
  const rests = (phase: Phase): Step => [{ ...state, phase }, moved];
  if (next === undefined) return rests({ is: "complete" });
  if (state.progress.mode.is !== "follows" || dayOfLaunch(state, policy, today.day) < next.day) return rests({ is: "waits" });
  const [first, ...more] = breaches(rules, guards, now);
  if (first !== undefined) {
    const by = [first, ...more] as const;
    const known = state.phase.is === "blocked" && state.phase.by.map(({ guard }) => guard).join() === by.map(({ guard }) => guard).join();
    const text = `the launch schedule does not raise the maximum to ${next.max} slots: ${by.map(({ said }) => said.text).join("; ")}`;
    return [{ ...state, phase: { is: "blocked", by } }, known ? moved : [...moved, { do: "say", level: "warn", text }]];
  }
  const { phase } = state;
  const isUnknown = unknownGuards(rules, readings).length > 0;
  if (phase.is !== "proves" || stepped || isUnknown) return rests({ is: "proves", since: now });
  return between(phase.since, now) < PROVEN ? rests(phase) : raise(state, policy, { next, now, today: today.day });
}

const REMEDY = "from DATE in DROVER_SLOT_SCHEDULE removes the doubt";

/** The day of the launch follows the calendar, or the first day a clock that was set. */
function dated(state: ScheduleState, policy: SchedulePolicy, today: Today): Step {
  if (policy.schedule.from !== undefined) return [state, []];
  const { progress, doubts } = state;
  const { first, seen } = progress;
  const verdict = judge(seen, today);
  const day = dayOfLaunch(state, policy, today.day);
  if (verdict === "wait") {
    const text = `the clock moved from ${seen.day} to ${today.day}: day ${day} of the launch lasts until it has run steadily for an hour; ${REMEDY}`;
    return [{ ...state, doubts: true }, doubts ? [] : [{ do: "say", level: "warn", text }]];
  }
  const next = seenNext(seen, today, verdict);
  const settled = { ...state, doubts: false };
  if (next === seen) return [settled, []];
  if (verdict !== "shift") return [{ ...settled, progress: { ...progress, seen: next } }, [{ do: "save" }]];
  const moved = daysLater(first, daysBetween(seen.day, today.day));
  const text = `the clock was set from ${seen.day} to ${today.day}: it is still day ${day} of the launch, which began on ${moved} by this clock (${first} before); ${REMEDY}`;
  return [{ ...settled, progress: { ...progress, first: moved, seen: next } }, [{ do: "save" }, { do: "say", level: "warn", text }]];
}

interface Raise {
  readonly next: SlotStep;
  readonly now: Instant;
  readonly today: string;
}

function raise(state: ScheduleState, policy: SchedulePolicy, { next, now, today }: Raise): Step {
  const { progress } = state;
  const raised: ScheduleState = { ...state, progress: { ...progress, step: progress.step + 1, max: next.max } };
  const following = nextStep(raised, policy);
  const day = dayOfLaunch(state, policy, today);
  const phase: Phase = following === undefined ? { is: "complete" } : day < following.day ? { is: "waits" } : { is: "proves", since: now };
  return [{ ...raised, phase }, [{ do: "save" }, { do: "raise", from: scheduled(state, policy), to: next, day }]];
}

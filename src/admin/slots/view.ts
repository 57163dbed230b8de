/** The launch schedule and the days of the service, for status, the API and the dashboard. Pure. */
import { impossible } from "../../base/never.ts";
import type { Day } from "../../base/day.ts";
import { daysLater } from "../../base/day.ts";
import type { Bytes, Ms, Timestamp } from "../../base/units.ts";
import { LOOKED_BACK, regularly, type Regular } from "../advice/regular.ts";
import { said, type Said } from "../said.ts";
import { daysOf, hourOf, timeAbove, type DayRecord, type UsageRecord } from "./record.ts";
import { dayOfLaunch, dueOn, maximum, nextStep, scheduled, type SchedulePolicy, type ScheduleState } from "./schedule.ts";

export interface ScheduleView {
  readonly state: "waits" | "proves" | "blocked" | "complete" | "held" | "fixed";
  /** Day of the launch; below 1 before it. */
  readonly day: number;
  /** Of `steps`, from 1. */
  readonly step: number;
  readonly steps: number;
  /** Slots there are to be: the step's, or the operator's. */
  readonly max: number;
  readonly scheduled: number;
  readonly next: { readonly max: number; readonly day: number; readonly on: string } | null;
  /** One sentence: where it stands, and why. */
  readonly text: string;
  readonly said?: Said | undefined;
}

export interface UsageView {
  /**
   * How long at least 80 % of the slots were taken in the last 24 hours, and in the last 7 days.
   */
  readonly timeAbove80pct: { readonly "1d": Ms; readonly "7d": Ms };
  /** Of the last 7 days, those that were seen; the latest last. */
  readonly days: readonly DayRecord[];
  /** The service is regularly nearly full. */
  readonly regular: Regular | null;
}

export function scheduleView(state: ScheduleState, policy: SchedulePolicy, today: string): ScheduleView {
  const next = nextStep(state, policy);
  const { mode } = state.progress;
  const words = sentence(state, policy, today);
  return {
    state: mode.is === "follows" ? state.phase.is : mode.is,
    day: dayOfLaunch(state, policy, today),
    step: state.progress.step + 1,
    steps: policy.schedule.steps.length,
    max: maximum(state, policy),
    scheduled: scheduled(state, policy),
    next: next === undefined ? null : { ...next, on: dueOn(state, policy, next) },
    text: words.text,
    said: words,
  };
}

function sentence(state: ScheduleState, policy: SchedulePolicy, today: string): Said {
  const { mode } = state.progress;
  const own = scheduled(state, policy);
  const next = nextStep(state, policy);
  if (mode.is === "fixed") return said`an operator has set the maximum to ${mode.max} instead of the launch schedule's ${own}`;
  if (mode.is === "held") return said`an operator holds the launch schedule at ${own} slots`;
  if (next === undefined) return said`the launch schedule has reached its last step, ${own} slots`;
  const day = dayOfLaunch(state, policy, today);
  switch (state.phase.is) {
    case "proves":
      return said`day ${day} of the launch schedule: ${next.max} slots follow once the guards have held for 10 minutes`;
    case "blocked":
      return said`the launch schedule does not raise the maximum to ${next.max} slots: ${reasons(state.phase.by.map(({ said: why }) => why))}`;
    case "waits":
    case "complete":
      return said`day ${day} of the launch schedule: ${own} slots, ${next.max} from ${dueOn(state, policy, next)} on`;
    default:
      return impossible(state.phase);
  }
}

const reasons = ([first, ...more]: readonly Said[]): Said =>
  more.reduce((all, one) => said`${all}; ${one}`, first ?? said`nothing is known yet`);

export interface UsageFacts {
  readonly wall: Timestamp;
  readonly dayOf: (wall: Timestamp) => Day;
  /** Slots there are, and the memory of the service. */
  readonly max: number;
  readonly memory: Bytes;
  readonly schedule: ScheduleView | null;
}

export function usageView(record: UsageRecord, { wall, dayOf, max, memory, schedule }: UsageFacts): UsageView {
  const since = daysLater(dayOf(wall).day, 1 - LOOKED_BACK);
  const recent = record.filter(({ hour }) => hour > hourOf(wall) - 24 * (LOOKED_BACK + 1));
  const days = daysOf(recent, dayOf).filter(({ day }) => day >= since && day <= dayOf(wall).day);
  const next = schedule?.next ?? undefined;
  const above = (back: number): Ms => timeAbove(record, "above80", { wall, days: back });
  return {
    timeAbove80pct: { "1d": above(1), "7d": above(7) },
    days,
    regular: regularly({ days, since, max, memory, next }) ?? null,
  };
}

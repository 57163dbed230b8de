/**
 * The launch schedule of a running daemon: the core's state, its file, and the settings that may
 * change under it.
 */
import { isDeepStrictEqual } from "node:util";
import type { GuardReadings } from "../../admin/slots/guards.ts";
import { begin, decide, maximum, type ScheduleEvent, type SchedulePolicy, type ScheduleState } from "../../admin/slots/schedule.ts";
import { scheduleView, type ScheduleView } from "../../admin/slots/view.ts";
import type { Clock } from "../../base/clock.ts";
import { dayClock } from "../../base/day.ts";
import type { Logger } from "../../base/log.ts";
import type { ControlAnswer } from "../../master/shell/control.ts";
import type { Settings } from "../../settings/table.ts";
import type { SlotFiles } from "./files.ts";

export type LaunchOrder = { readonly do: "hold" | "resume" } | { readonly do: "max"; readonly max: number };
export type LaunchSettings = Pick<Settings, "slot_schedule" | "alert_latency" | "time_zone">;

export interface Launch {
  /**
   * Looks once; call it every few seconds.
   * @param stepped the wall clock was set since the last look.
   */
  look(readings: GuardReadings, stepped: boolean): void;
  /**
   * Slots there are to be by the schedule of some settings, which may be those of an older
   * generation; undefined: there is none.
   */
  maximum(settings: LaunchSettings): number | undefined;
  view(): ScheduleView | null;
  /** Carries out an operator's order, durably. */
  order(order: LaunchOrder): ControlAnswer;
}

interface Running {
  readonly policy: SchedulePolicy;
  readonly state: ScheduleState;
}

interface Parts {
  readonly clock: Clock;
  readonly log: Logger;
  readonly files: Pick<SlotFiles, "progress" | "saveProgress">;
  settings(): LaunchSettings;
}

export function createLaunch({ clock, log, files, settings }: Parts): Launch {
  let running: Running | undefined;
  /** Whether the file has what `running` says. */
  let isSaved = true;
  let isThere = files.progress() !== undefined;
  const today = (zone = settings().time_zone): string => dayClock(zone)(clock.wall()).day;

  /** Follows the settings: a reload may bring another schedule. */
  const follow = (): Running | undefined => {
    const { slot_schedule: schedule, alert_latency: slow } = settings();
    if (schedule === undefined) return (running = undefined);
    const policy: SchedulePolicy = { schedule, slow };
    if (running === undefined) {
      const kept = files.progress();
      running = { policy, state: begin(kept, policy, today()) };
      isSaved = isDeepStrictEqual(kept, running.state.progress);
    } else if (!isDeepStrictEqual(running.policy.schedule, schedule)) {
      running = { policy, state: begin(running.state.progress, policy, today()) };
      isSaved = false;
    } else running = { ...running, policy };
    return running;
  };

  const save = (): string | undefined => {
    const why = files.saveProgress(running?.state.progress);
    if (why !== undefined && isSaved) log.error(`the launch schedule is not on disk, and is written again: ${why}`);
    isSaved = why === undefined;
    if (isSaved) isThere = running !== undefined;
    return why;
  };

  const feed = ({ policy, state: before }: Running, event: ScheduleEvent): void => {
    const [state, actions] = decide(before, event, policy);
    running = { policy, state };
    for (const action of actions) {
      if (action.do === "save") save();
      else if (action.do === "say") log[action.level](action.text);
      else log.info({ slots: action.to.max }, `day ${action.day} of the launch: ${action.to.max} slots from now on, ${action.from} before`);
    }
  };

  follow();
  return {
    look(readings, stepped) {
      const there = follow();
      if (there === undefined) {
        if (isThere) save(); // a schedule that is switched on again begins with day 1
        return;
      }
      if (!isSaved) save();
      feed(there, { type: "look", now: clock.now(), wall: clock.wall(), today: today(), stepped, readings });
    },
    maximum({ slot_schedule: schedule, alert_latency: slow, time_zone: zone }) {
      if (schedule === undefined) return undefined;
      const policy: SchedulePolicy = { schedule, slow };
      const same = isDeepStrictEqual(running?.policy.schedule, schedule) ? running?.state : undefined;
      return maximum(same ?? begin(running?.state.progress ?? files.progress(), policy, today(zone)), policy);
    },
    view: () => (running === undefined ? null : scheduleView(running.state, running.policy, today())),
    order(order) {
      const there = follow();
      if (there === undefined) return { ok: false, message: "there is no launch schedule: DROVER_SLOT_SCHEDULE is off" };
      const wall = clock.wall();
      feed(
        there,
        order.do === "max" ? { type: "fix", max: order.max, wall } : order.do === "hold" ? { type: "hold", wall } : { type: "resume" },
      );
      const why = isSaved ? undefined : save();
      const text = scheduleView(running?.state ?? there.state, there.policy, today()).text;
      return why === undefined ? { ok: true, message: text } : { ok: false, message: `${text}, until a restart: ${why}` };
    },
  };
}

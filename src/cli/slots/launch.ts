/**
 * The launch schedule of a running daemon: the core's state, its file, and the settings that may
 * change under it.
 */
import { isDeepStrictEqual } from "node:util";
import type { GuardReadings } from "../../admin/slots/guards.ts";
import type { Today } from "../../admin/slots/calendar.ts";
import {
  begin,
  decide,
  maximum,
  type KeptProgress,
  type ScheduleEvent,
  type SchedulePolicy,
  type ScheduleState,
} from "../../admin/slots/schedule.ts";
import { scheduleView, type ScheduleView } from "../../admin/slots/view.ts";
import type { Boot } from "../../base/boot.ts";
import type { Clock } from "../../base/clock.ts";
import { dayClock } from "../../base/day.ts";
import type { Logger } from "../../base/log.ts";
import { said } from "../../admin/said.ts";
import type { Ms } from "../../base/units.ts";
import type { ControlAnswer } from "../../master/shell/control.ts";
import type { Settings } from "../../settings/table.ts";
import type { SlotFiles } from "./files.ts";

export type LaunchOrder = { readonly do: "hold" | "resume" } | { readonly do: "max"; readonly max: number };
export type LaunchSettings = Pick<Settings, "slot_schedule" | "alert_latency" | "time_zone">;

export interface Launch {
  /**
   * Looks once; call it every few seconds.
   * @param clock `stepped`: the wall clock was set since the last look; `steady`: how long it was not.
   */
  look(readings: GuardReadings, clock: { readonly stepped: boolean; readonly steady: Ms }): void;
  /** False while the schedule is held because its file can't be read. */
  isKnown(): boolean;
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
  readonly boot: () => Boot;
  readonly log: Logger;
  readonly files: Pick<SlotFiles, "progress" | "saveProgress">;
  settings(): LaunchSettings;
}

export function createLaunch({ clock, boot, log, files, settings }: Parts): Launch {
  let running: Running | undefined;
  /** Whether the file has what `running` says. */
  let isSaved = true;
  let isThere = files.progress().is !== "nothing";
  /** Why the file can't be read. */
  let unread: string | undefined;
  const today = (zone = settings().time_zone): string => dayClock(zone)(clock.wall()).day;
  const moment = (zone?: string): Omit<Today, "steady"> => ({ day: today(zone), boot: boot() });
  const kept = (found = files.progress()): KeptProgress | undefined => (found.is === "found" ? found.value : undefined);

  /** Follows the settings: a reload may bring another schedule. */
  const follow = (): Running | undefined => {
    const { slot_schedule: schedule, alert_latency: slow } = settings();
    if (schedule === undefined) return (unread = running = undefined);
    const policy: SchedulePolicy = { schedule, slow };
    if (running === undefined) {
      const found = files.progress();
      unread = found.is === "unreadable" ? found.why : undefined;
      if (unread !== undefined) return undefined;
      const progress = kept(found);
      running = { policy, state: begin(progress, policy, moment()) };
      isSaved = isDeepStrictEqual(progress, running.state.progress);
    } else if (!isDeepStrictEqual(running.policy.schedule, schedule)) {
      running = { policy, state: begin(running.state.progress, policy, moment()) };
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
    isKnown: () => unread === undefined,
    look(readings, { stepped, steady }) {
      const there = follow();
      if (there === undefined) {
        if (isThere && unread === undefined) save(); // a schedule that is switched on again begins with day 1
        return;
      }
      if (!isSaved) save();
      feed(there, { type: "look", now: clock.now(), wall: clock.wall(), today: { ...moment(), steady }, stepped, readings });
    },
    maximum({ slot_schedule: schedule, alert_latency: slow, time_zone: zone }) {
      if (schedule === undefined) return undefined;
      const policy: SchedulePolicy = { schedule, slow };
      const same = isDeepStrictEqual(running?.policy.schedule, schedule) ? running?.state : undefined;
      return maximum(same ?? begin(running?.state.progress ?? kept(), policy, moment(zone)), policy);
    },
    view() {
      if (running !== undefined) return scheduleView(running.state, running.policy, today());
      const { slot_schedule: schedule, alert_latency: slow } = settings();
      if (schedule === undefined || unread === undefined) return null;
      const policy: SchedulePolicy = { schedule, slow };
      const words = said`the launch schedule is held: slot-schedule.json can't be read: ${unread}`;
      return { ...scheduleView(begin(undefined, policy, moment()), policy, today()), state: "held", text: words.text, said: words };
    },
    order(order) {
      const there = follow();
      if (unread !== undefined)
        return { ok: false, message: `nothing was changed: the launch schedule is held, and slot-schedule.json can't be read: ${unread}` };
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

/**
 * Everything about the number of slots that changes by itself: the launch schedule, the admission
 * guard, the record of the days.
 */
import { admissionGuards, breaches, guardReadings, lookAtGuards, type GuardReadings, type GuardStates } from "../../admin/slots/guards.ts";
import { usageView, type ScheduleView, type UsageView } from "../../admin/slots/view.ts";
import { thisBoot, type Boot } from "../../base/boot.ts";
import type { Clock } from "../../base/clock.ts";
import { ClockWatch } from "../../base/clock-watch.ts";
import { dayClock } from "../../base/day.ts";
import type { Logger } from "../../base/log.ts";
import type { Question } from "../../base/protocol.ts";
import { SHORTAGES, type Shortage } from "../../base/slots.ts";
import type { Ms } from "../../base/units.ts";
import type { ControlAnswer } from "../../master/shell/control.ts";
import type { Snapshot } from "../../master/snapshot.ts";
import { slotsOf } from "../../settings/rows/limits.ts";
import type { Settings } from "../../settings/table.ts";
import { openSlotFiles } from "./files.ts";
import { createLaunch, type LaunchOrder } from "./launch.ts";
import { createUsage } from "./usage.ts";

export interface SlotKeeper {
  /** Looks once; call it every few seconds. @param p95 of the last minute's answers. */
  look(snapshot: Snapshot, p95: Ms | undefined): void;
  /** By the launch schedule; undefined: there is none. */
  maximum(settings: Settings): number | undefined;
  /** An operator's order. */
  order(order: LaunchOrder): ControlAnswer;
  schedule(): ScheduleView | null;
  usage(): UsageView;
  close(): void;
}

export interface KeeperParts {
  readonly clock: Clock;
  readonly boot?: () => Boot;
  readonly log: Logger;
  settings(): Settings;
  /** To the broker. What it does not hear is said again at the next look. */
  ask(question: Question): Promise<ControlAnswer>;
}

export function createSlotKeeper({ clock, boot = thisBoot, log, settings, ask }: KeeperParts): SlotKeeper {
  const files = openSlotFiles(settings().data_dir, log);
  const launch = createLaunch({ clock, boot, log, files, settings });
  const usage = createUsage(clock, files);
  const watch = new ClockWatch(clock);
  const admission = createAdmission(clock, log);
  const most = (): number => launch.maximum(settings()) ?? slotsOf(settings().max_slots, settings().memory);
  /** What the broker must have; undefined: there is no schedule, or it can't be read and is held. */
  const wantedMaximum = (): number | undefined => (launch.isKnown() ? launch.maximum(settings()) : undefined);
  let max = most();
  /** Made once between two looks. */
  let view: UsageView | undefined;

  const tell = (questions: readonly Question[]): void => {
    for (const question of questions)
      void ask(question).then(({ ok, message }) => ok || log.debug(`the broker did not hear of the slots: ${message}`));
  };

  const apply = ({ slots }: Snapshot, closed: Shortage | undefined): void => {
    if (slots === null) return; // no broker: the next one begins with its plan's maximum
    const wanted = wantedMaximum();
    tell([
      ...(wanted === undefined || wanted === slots.max ? [] : [{ do: "max", max: wanted } as const]),
      ...(slots.closed === closed ? [] : [{ do: "close", why: closed ?? null } as const]),
    ]);
  };

  return {
    look(snapshot, p95) {
      const stepped = watch.look() !== undefined;
      const { memory, tokens_per_minute: tokens, slot_guard: guard, alert_latency: slow } = settings();
      const readings = guardReadings(snapshot, { p95, tokens });
      max = snapshot.slots?.max ?? most();
      view = undefined;
      usage.look(snapshot, watch.steadyFor, memory);
      launch.look(readings, { stepped, steady: watch.steadyFor });
      apply(snapshot, admission(readings, guard === "on" ? slow : undefined));
    },
    maximum: (wanted) => launch.maximum(wanted),
    order(order) {
      const answer = launch.order(order);
      view = undefined;
      const wanted = wantedMaximum();
      if (wanted !== undefined) tell([{ do: "max", max: wanted }]);
      return answer;
    },
    schedule: () => launch.view(),
    usage: () =>
      (view ??= usageView(usage.record(), {
        wall: clock.wall(),
        dayOf: dayClock(settings().time_zone),
        max,
        memory: settings().memory,
        schedule: launch.view(),
      })),
    close: () => usage.close(),
  };
}

/**
 * DROVER_SLOT_GUARD. `slow` is DROVER_ALERT_LATENCY; undefined: the guard is off.
 * @returns what says why new sessions are refused now; undefined: they are admitted.
 */
function createAdmission(clock: Clock, log: Logger): (readings: GuardReadings, slow: Ms | undefined) => Shortage | undefined {
  let states: GuardStates = {};
  let closed: Shortage | undefined;
  return (readings, slow) => {
    const rules = slow === undefined ? [] : admissionGuards(slow);
    states = rules.length > 0 ? lookAtGuards(rules, states, readings, { now: clock.now(), wall: clock.wall() }) : {};
    const [breach] = breaches(rules, states);
    const why = SHORTAGES.find((name) => name === breach?.guard);
    if (why !== closed) {
      if (why === undefined) log.info("new sessions are admitted again");
      else log.warn({ limited_by: why }, `new sessions are refused: ${breach?.said.text}`);
    }
    closed = why;
    return closed;
  };
}

/** A launch on a fake clock: looks every 30 s, without a process or a timer. */
import assert from "node:assert/strict";
import { guardReadings, type GuardReadings } from "../../../src/admin/slots/guards.ts";
import type { Today } from "../../../src/admin/slots/calendar.ts";
import {
  begin,
  dayOfLaunch,
  decide,
  maximum,
  type Progress,
  type ScheduleAction,
  type ScheduleEvent,
  type SchedulePolicy,
  type ScheduleState,
} from "../../../src/admin/slots/schedule.ts";
import type { Boot } from "../../../src/base/boot.ts";
import { dayClock } from "../../../src/base/day.ts";
import { ms, seconds, type Instant, type Ms, type Timestamp } from "../../../src/base/units.ts";
import { slotSchedule } from "../../../src/settings/schedule.ts";
import { statusWith } from "../../cli/statuses.ts";

export const LOOK = seconds(30);
export const DAY = ms(24 * 3_600_000);

/** Figures with room everywhere, and what is changed of them. */
export function figures(changes: { cpu?: number; ram?: number; p95?: number; left?: number; used?: number } = {}): GuardReadings {
  const { cpu = 0.3, ram = 0.4, p95 = 50, left = 900, used = 4 } = changes;
  const { upstream } = statusWith();
  assert.ok(upstream);
  const snapshot = statusWith({
    machine: { cpu, ram, ramUsed: 1, ramTotal: 2 },
    tokensUsed: 1_000 - left,
    upstream: { ...upstream, quota: { ...upstream.quota, used } },
  });
  return guardReadings(snapshot, { p95: ms(p95), tokens: 1_000 });
}

export function policyOf(text: string): SchedulePolicy {
  const read = slotSchedule.parse(text, "/");
  assert.ok(read.ok && read.value !== undefined);
  return { schedule: read.value, slow: ms(500) };
}

export class Launch {
  now = 1_000_000 as Instant;
  wall: Timestamp;
  boot: Boot = { id: "boot 1", up: ms(9_000_000) };
  steady = ms(0);
  readings: GuardReadings = figures();
  readonly said: string[] = [];
  /** `day 3: 100`, one line for each raise. */
  readonly raises: string[] = [];
  saved: Progress | undefined;
  policy: SchedulePolicy;
  state: ScheduleState;
  readonly #dayOf: (wall: Timestamp) => { readonly day: string };
  #stepped = false;

  constructor(schedule: string, start = "2026-12-01T08:00:00+01:00", zone = "Europe/Paris") {
    this.policy = policyOf(schedule);
    this.wall = Temporal.Instant.from(start).epochMilliseconds as Timestamp;
    this.#dayOf = dayClock(zone);
    this.state = begin(undefined, this.policy, this.moment);
  }

  get today(): string {
    return this.#dayOf(this.wall).day;
  }

  get moment(): Today {
    return { day: this.today, boot: this.boot, steady: this.steady };
  }

  get day(): number {
    return dayOfLaunch(this.state, this.policy, this.today);
  }

  get max(): number {
    return maximum(this.state, this.policy);
  }

  /** Time passes, with a look every 30 s. */
  pass(span: Ms): void {
    for (let left = span as number; left > 0; left -= LOOK) {
      this.#move(LOOK);
      const { now, wall, moment: today, readings } = this;
      this.do({ type: "look", now, wall, today, stepped: this.#stepped, readings });
      this.#stepped = false;
    }
  }

  do(event: ScheduleEvent): readonly ScheduleAction[] {
    const before = this.state;
    const [state, actions] = decide(before, event, this.policy);
    this.state = state;
    assert.ok(state.progress.step - before.progress.step <= 1, "one step at a time");
    assert.ok(state.progress.step >= before.progress.step, "never a step back");
    for (const action of actions) {
      if (action.do === "save") this.saved = state.progress;
      else if (action.do === "say") this.said.push(action.text);
      else this.raises.push(`day ${action.day}: ${action.to.max}`);
    }
    assert.ok(state.progress === before.progress || this.saved === state.progress, "what must survive is saved");
    return actions;
  }

  /**
   * The daemon is off for a while; the monotonic clock begins again.
   * @param ahead the wall clock was set meanwhile.
   */
  restart(off: Ms, ahead = ms(0)): void {
    this.wall = (this.wall + off + ahead) as Timestamp;
    this.now = 5_000 as Instant;
    this.boot = { ...this.boot, up: ms(this.boot.up + off) };
    this.steady = ms(0);
    this.state = begin(this.saved, this.policy, this.moment);
  }

  /** The machine is off for a while. @param ahead what its clock has lost or won. */
  reboot(off: Ms, ahead = ms(0)): void {
    this.boot = { id: `boot ${Number(this.boot.id.slice(5)) + 1}`, up: ms(0 - off) };
    this.restart(off, ahead);
  }

  /** The wall clock is set. */
  setClock(by: Ms): void {
    this.wall = (this.wall + by) as Timestamp;
    this.#stepped = true;
    this.steady = ms(0 - LOOK);
  }

  #move(span: Ms): void {
    this.now = (this.now + span) as Instant;
    this.wall = (this.wall + span) as Timestamp;
    this.boot = { ...this.boot, up: ms(this.boot.up + span) };
    this.steady = ms(this.steady + span);
  }
}

/**
 * systemd's watchdog: the master says WATCHDOG=1 about every half of `WatchdogSec=`, and only while it is healthy; else PID 1 kills it and
 * starts it again. Healthy means that the loop turns, that its timer comes on time, and that the supervisor decides.
 */
import type { Clock } from "../../base/clock.ts";
import type { Logger } from "../../base/log.ts";
import { after, between, ms, type Instant, type Ms } from "../../base/units.ts";
import type { Agenda } from "./agenda.ts";

/** What the supervisor shows of itself. */
export interface Pulse {
  /** When it last took events and had performed everything it decided. */
  readonly decidedAt: Instant;
  /** When its state must change next by time alone. */
  readonly deadline: Instant | undefined;
}

/** One look at the pulse, and how late the timer was that led to it. */
export interface Look {
  readonly at: Instant;
  readonly late: Ms;
}

export interface WatchdogParts {
  readonly clock: Clock;
  readonly log: Logger;
  /** Without a sign of life for so long, systemd kills. */
  readonly interval: Ms;
  pulse(): Pulse;
  /** Sends WATCHDOG=1. */
  alive(): void;
}

const LOOKS_PER_INTERVAL = 10;
const SHORTEST = ms(20);

/**
 * @param env loses WATCHDOG_USEC and WATCHDOG_PID, so that no child believes it is the one who is watched.
 * @returns after how long without a sign of life systemd kills process `pid`; undefined when it does not watch this one
 * (sd_watchdog_enabled(3)).
 */
export function watchdogInterval(env: NodeJS.ProcessEnv, pid: number, log: Logger): Ms | undefined {
  const { WATCHDOG_USEC: text, WATCHDOG_PID: whose } = env;
  delete env["WATCHDOG_USEC"];
  delete env["WATCHDOG_PID"];
  if (text === undefined || (whose !== undefined && whose !== String(pid))) return undefined;
  const micros = /^\d{1,15}$/.test(text) ? Number(text) : 0;
  if (micros > 0) return ms(micros / 1_000);
  log.warn(`WATCHDOG_USEC is ${JSON.stringify(text.slice(0, 40))}, which is no number of microseconds: no sign of life is sent to systemd`);
  return undefined;
}

/**
 * Why no sign of life may be given, or undefined when the master is healthy. One late turn is forgiven: a machine that was suspended or
 * starved wakes up with one, and the master serves on. A loop that limps is late again and again.
 * @param slack a timer later than this is late.
 */
export function sickness(last: Look, now: Look, pulse: Pulse, slack: Ms): string | undefined {
  if (now.late > slack && last.late > slack)
    return `its loop is slow: its timer was ${Math.round(last.late)} and then ${Math.round(now.late)} ms late`;
  if (pulse.decidedAt < last.at) return `the supervisor has decided nothing for ${Math.round(between(pulse.decidedAt, now.at))} ms`;
  if (pulse.deadline !== undefined && pulse.deadline < last.at)
    return `the supervisor has not dealt with what was due ${Math.round(between(pulse.deadline, now.at))} ms ago`;
  return undefined;
}

/** Gives signs of life from the master's own timer, from now until the agenda stops. */
export function feedWatchdog({ clock, log, interval, pulse, alive }: WatchdogParts, agenda: Agenda): void {
  const every = ms(Math.max(SHORTEST, interval / LOOKS_PER_INTERVAL));
  const slack = ms(interval / 4);
  let last: Look = { at: clock.now(), late: ms(0) };
  let fedAt = last.at;
  let sick: string | undefined;
  agenda.every(every, () => {
    const at = clock.now();
    const now: Look = { at, late: ms(Math.max(0, between(after(last.at, every), at))) };
    const before = sick;
    sick = sickness(last, now, pulse(), slack);
    last = now;
    if (sick !== undefined && before === undefined) log.error(`no sign of life is given to systemd, which will end this master: ${sick}`);
    if (sick === undefined && before !== undefined) log.info("the master is healthy again: systemd gets its signs of life");
    if (sick !== undefined || between(fedAt, at) < interval / 2 - every) return;
    fedAt = at;
    alive();
  });
}

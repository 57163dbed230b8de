/**
 * How the launch schedule follows the calendar: pure. A day of the launch counts when the machine
 * ran, or was off, for as long. A clock that moved otherwise was set, and moves the first day with
 * it, once it has run without a step for an hour.
 */
import type { Boot } from "../../base/boot.ts";
import { SETTLED } from "../../base/clock-watch.ts";
import { daysBetween } from "../../base/day.ts";
import { minutes, type Ms } from "../../base/units.ts";

/** The latest day that counted, and when the boot clock said so. */
export interface Seen {
  readonly day: string;
  readonly boot: Boot;
  /** The wall clock has once run without a step for an hour. */
  readonly isSettled: boolean;
}

export interface Today {
  readonly day: string;
  readonly boot: Boot;
  /** How long the wall clock has run without a step, as far as this process knows. */
  readonly steady: Ms;
}

/**
 * `keep`: the same day. `follow`: the days between were lived through. `wait`: not known yet.
 * `shift`: the clock was set.
 */
export type Verdict = "keep" | "follow" | "wait" | "shift";

const DAY = minutes(24 * 60);
/** A machine that was off for more days than this had a wrong clock before, or has one now. */
const LONGEST_OFF = 31;

export function judge(seen: Seen, today: Today): Verdict {
  if (seen.day === today.day) return "keep";
  const moved = daysBetween(seen.day, today.day);
  if (moved === -1) return "keep"; // set by minutes around midnight, or another time zone
  const isSameBoot = seen.boot.id === today.boot.id;
  const ran = isSameBoot ? Math.max(0, Math.floor((today.boot.up - seen.boot.up) / DAY)) : 0;
  if (moved > 0 && moved <= ran + 1) return "follow";
  if (today.steady < SETTLED) return "wait";
  return !isSameBoot && seen.isSettled && moved > 0 && moved <= LONGEST_OFF ? "follow" : "shift";
}

/** The day that counts after a verdict. The same object when nothing has changed. */
export function seenNext(seen: Seen, { day, boot, steady }: Today, verdict: Verdict): Seen {
  const hasSettled = steady >= SETTLED;
  if (verdict === "wait") return seen;
  if (verdict !== "keep") return { day, boot, isSettled: seen.isSettled || hasSettled };
  // Until the clock has settled, a correction still counts as time that the machine was off.
  const isKnown = seen.isSettled && seen.boot.id === boot.id;
  return isKnown || !hasSettled ? seen : { day: seen.day, boot, isSettled: true };
}

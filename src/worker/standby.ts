import { ms, seconds, type Ms } from "../base/units.ts";
import { cpuIdle } from "./cpuidle.ts";

/** After an accept of one that stands by: those who come before it are at work, and this one was more than they got to. */
export const HOLD_STANDING = ms(8);
/** So long after it last saw churn itself; and so long it does not stand by, once the others were found to be held up. */
const STAND_BY = seconds(1);
/** So long after it last saw churn it is among those who take what comes. */
const LEAD = ms(250);
/** The master repeats its word every second: what is older than this is believed no more. */
const BELIEVED = seconds(2.5);
/** Glances one after the other: 160 ms. */
const MANY_FOUND = 20;
/** Who comes and goes by chance is not worth a look at the CPUs. */
const SOME_FOUND = 5;
/** With so much of all CPUs left over those who come first are not short of CPU: they wait for a disk, a lock, a sleep. */
const LEFT_OVER = 0.25;

/**
 * Whether a worker leaves connections that come and go to others. The kernel wakes every idle worker for each connection, all but one of
 * them for nothing, and the work of two CPUs would be done by as many processes as there are, each with cold caches. So in churn as many
 * workers as there are CPUs lead: they take what comes. The others stand by: they look away, and glance at the queue (worker/pace.ts).
 *
 *   neither ─ many come and go ─→ leads
 *   leads ─ the master says that enough others do ─→ stands by
 *   leads ─ for 250 ms it has seen no churn ─→ neither
 *   stands by ─ for a second it has seen none, or the master takes its word back, or is silent ─→ leads, neither
 *   stands by ─ somebody waits at each of 25 glances, while CPUs are idle ─→ leads for a second: the others are held up by something else
 *
 * One that leads holds nothing back for the sake of fairness: the master has another lead in its place that holds less.
 */
export class Standby {
  readonly #changed: () => void;
  readonly #cpuIdle: () => number;
  #stopped = false;
  /** Enough others lead, by the master's word. */
  #replaced: NodeJS.Timeout | undefined;
  #churn: NodeJS.Timeout | undefined;
  #leading: NodeJS.Timeout | undefined;
  #needed: NodeJS.Timeout | undefined;
  #found = 0;

  /**
   * @param changed called when it may have begun to stand by or to lead, or ended.
   * @param idle how much of all CPUs was left over since it was asked before, 0…1.
   */
  constructor(changed: () => void, idle: () => number = cpuIdle()) {
    this.#changed = changed;
    this.#cpuIdle = idle;
  }

  get standsBy(): boolean {
    return this.#churn !== undefined && this.#replaced !== undefined && this.#needed === undefined;
  }

  get leads(): boolean {
    return this.#leading !== undefined && !this.standsBy;
  }

  /** Whether enough others lead, by the master's word: said again and again as long as it is true. */
  replace(replaced: boolean): void {
    clearTimeout(this.#replaced);
    this.#replaced = replaced && !this.#stopped ? this.#after(BELIEVED, () => (this.#replaced = undefined)) : undefined;
    this.#changed();
  }

  /** Many connections come and go here. */
  churns(): void {
    if (this.#stopped) return;
    clearTimeout(this.#churn);
    clearTimeout(this.#leading);
    this.#churn = this.#after(STAND_BY, () => (this.#churn = undefined));
    this.#leading = this.#after(LEAD, () => (this.#leading = undefined));
    this.#changed();
  }

  /** A glance found somebody waiting. */
  found(): void {
    if (!this.standsBy) return;
    this.#found += 1;
    if (this.#found === SOME_FOUND) this.#cpuIdle();
    if (this.#found < SOME_FOUND + MANY_FOUND) return;
    this.#found = 0;
    if (this.#cpuIdle() < LEFT_OVER) return;
    this.#needed = this.#after(STAND_BY, () => (this.#needed = undefined));
    this.#changed();
  }

  /** A glance found nobody. */
  foundNobody(): void {
    this.#found = 0;
  }

  /** From now on it does neither. */
  stop(): void {
    this.#stopped = true;
    for (const timer of [this.#replaced, this.#churn, this.#leading, this.#needed]) clearTimeout(timer);
    this.#replaced = this.#churn = this.#leading = this.#needed = undefined;
  }

  #after(time: Ms, over: () => void): NodeJS.Timeout {
    return setTimeout(() => {
      over();
      this.#changed();
    }, time).unref();
  }
}

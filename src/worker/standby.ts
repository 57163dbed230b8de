import { ms, seconds } from "../base/units.ts";
import { cpuIdle } from "./cpuidle.ts";

/** After an accept of one that stands by: those who come before it are at work, and this one was more than they got to. */
export const HOLD_STANDING = ms(8);
/** So long after it last saw churn itself; and so long it does not stand by, once the others were found to be held up. */
const STAND_BY = seconds(1);
/** Glances one after the other: 160 ms. */
const MANY_FOUND = 20;
/** With so much of all CPUs left over those who come first are not short of CPU: they wait for a disk, a lock, a sleep. */
const LEFT_OVER = 0.25;

/**
 * Whether a worker leaves connections that come and go to others. The kernel wakes every idle worker for each connection, all but one of
 * them for nothing, and the work of two CPUs would be done by as many processes as there are, each with cold caches. So in churn as many
 * workers as there are CPUs accept, and the others stand by: they look away, and glance at the queue (worker/pace.ts).
 *
 *   forward ─ many come and go, and enough others come before it ─→ standing by
 *   standing by ─ for a second it has seen no churn ─→ forward
 *   standing by ─ the others have gone ─→ forward
 *   standing by ─ somebody waits at each of twenty glances, while CPUs are idle ─→ needed: the first ones are held up by something else
 *   needed ─ a second ─→ forward
 */
export class Standby {
  readonly #changed: () => void;
  readonly #cpuIdle: () => number;
  /** Enough others come before this one. */
  #allowed = false;
  #standing: NodeJS.Timeout | undefined;
  #needed: NodeJS.Timeout | undefined;
  #found = 0;

  /**
   * @param changed called when it has begun to stand by, or ended.
   * @param idle how much of all CPUs was left over since it was asked before, 0…1.
   */
  constructor(changed: () => void, idle: () => number = cpuIdle()) {
    this.#changed = changed;
    this.#cpuIdle = idle;
  }

  get on(): boolean {
    return this.#standing !== undefined;
  }

  /** Whether enough others come before this one, by the master's word. */
  allow(allowed: boolean): void {
    this.#allowed = allowed;
    if (!allowed) this.#comeForward();
  }

  /** Many connections come and go here. */
  churns(): void {
    if (!this.#allowed || this.#needed !== undefined) return;
    const stoodBy = this.on;
    clearTimeout(this.#standing);
    this.#standing = setTimeout(() => this.#comeForward(), STAND_BY).unref();
    if (!stoodBy) this.#changed();
  }

  /** A glance found somebody waiting. */
  found(): void {
    if (!this.on) return;
    this.#found += 1;
    if (this.#found === 1) this.#cpuIdle();
    if (this.#found <= MANY_FOUND) return;
    this.#found = 0;
    if (this.#cpuIdle() < LEFT_OVER) return;
    this.#needed = setTimeout(() => (this.#needed = undefined), STAND_BY).unref();
    this.#comeForward();
  }

  /** A glance found nobody. */
  foundNobody(): void {
    this.#found = 0;
  }

  /** Accepting is over. */
  stop(): void {
    this.#allowed = false;
    for (const timer of [this.#standing, this.#needed]) clearTimeout(timer);
    this.#standing = undefined;
  }

  #comeForward(): void {
    if (!this.on) return;
    clearTimeout(this.#standing);
    this.#standing = undefined;
    this.#found = 0;
    this.#changed();
  }
}

/** When an external monitor asked for the health: told from a count that grows. */
import { elapsed, seconds, type Timestamp } from "../base/units.ts";

/** Requests closer together than this are one sighting: a monitor asks every minute or less often. */
const APART = seconds(20);
const MOST = 12;

export class Sightings {
  #times: Timestamp[] = [];
  #seen = 0;

  /** @param total requests of monitors since the daemon started. */
  look(total: number, now: Timestamp): void {
    if (total <= this.#seen) return;
    this.#seen = total;
    const last = this.#times.at(-1);
    if (last !== undefined && elapsed(last, now) < APART) return;
    this.#times = [...this.#times, now].slice(-MOST);
  }

  /** The newest last. */
  times(): readonly Timestamp[] {
    return this.#times;
  }

  get total(): number {
    return this.#seen;
  }
}

import { ms, type Ms } from "../base/units.ts";
import type { Idle } from "./connections.ts";

/**
 * When a connection may be closed to make room: after a second at first; the more others wait, the sooner. A flood of idle ones must not
 * keep out those who have something to ask, and what each of it costs is the time that it keeps its place.
 *
 * - *quiet*: less than a quarter of a second would cut off clients of a busy server who are about to send their next request.
 * - *silent*: who has queued and wants something has sent it by the time he is let in. Who has not came to be there.
 * - *trickling*: a head is a packet or two; one that was lost comes again within half a second.
 */
const LADDER: readonly [Idle, ...Idle[]] = [
  { quiet: ms(1_000), silent: ms(1_000), trickling: ms(1_000) },
  { quiet: ms(500), silent: ms(250), trickling: ms(1_000) },
  { quiet: ms(250), silent: ms(100), trickling: ms(500) },
];

/** As long as a guest stays. */
const LONG = ms(250);

/** How patient a full worker is with idle connections. */
export class Patience {
  #rung = 0;
  /** For so long none has been idle by the present measure. */
  #starved = 0;

  get spans(): Idle {
    return LADDER[this.#rung] ?? LADDER[0];
  }

  /**
   * For `since` more none was idle though clients may wait.
   * @param queued one of them has just taken the place of the last idle one, and others were behind him.
   * @returns whether that has lasted so long that whoever waits has queued: news of a neighbour's room would have come.
   */
  starves(since: Ms, queued: boolean): boolean {
    const known = queued && this.#starved === 0;
    this.#starved += since;
    const long = this.#starved >= LONG;
    if (!known && this.#starved < this.spans.quiet) return long;
    this.#rung = Math.min(this.#rung + 1, LADDER.length - 1);
    this.#starved = known ? since : 0;
    return long;
  }

  /** One was idle. */
  fed(): void {
    this.#starved = 0;
  }

  /** As patient as at first: nobody waits. */
  reset(): void {
    this.#rung = 0;
  }
}

/** Counts that ask nobody: made here at once, told to the broker a tick later, and heard of from other workers as soon. */
import type { Clock } from "../base/clock.ts";
import { ms, type Ms } from "../base/units.ts";
import { roomOf, tallyOf, Windows } from "../base/window.ts";
import type { Deed, Spent } from "./ledger.ts";
import { MOST_TALLIES, type Tally } from "./ledger-host.ts";

/** What arrives within about twice this, at all workers together, may be let through beyond the limit. */
const TICK = ms(25);

export class Tallying {
  readonly #clock: Clock;
  readonly #tell: (tallies: readonly Tally[]) => void;
  readonly #windows = new Windows();
  /** Counted and not told yet, by key. */
  readonly #fresh = new Map<string, Tally>();
  #timer: NodeJS.Timeout | undefined;

  constructor(clock: Clock, tell: (tallies: readonly Tally[]) => void) {
    this.#clock = clock;
    this.#tell = tell;
  }

  count(deed: Deed & { readonly per: Ms }): Spent {
    const now = this.#clock.now();
    const counted = { ...deed, times: deed.times ?? 1 };
    const { key, times } = counted;
    const { used, waits } = this.#windows.level(counted, now);
    if (waits > 0) return { is: "over", key, retryAfter: waits };
    const tally = tallyOf(counted);
    this.#windows.add(tally, now);
    this.#fresh.set(key, { ...tally, times: times + (this.#fresh.get(key)?.times ?? 0) });
    if (this.#fresh.size >= MOST_TALLIES) this.#flush();
    else this.#timer ??= setTimeout(() => this.#flush(), TICK).unref();
    return { is: "ok", key, left: Math.floor(roomOf(deed) - used - times), resetIn: this.#windows.level(counted, now).resetIn };
  }

  /** Of other workers. */
  heard(tallies: readonly Tally[]): void {
    const now = this.#clock.now();
    for (const tally of tallies) this.#windows.add(tally, now);
  }

  #flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const tallies = [...this.#fresh.values()];
    this.#fresh.clear();
    if (tallies.length > 0) this.#tell(tallies);
  }
}

/** Deeds of one request, counted together: over windows, and over days. Pure: time comes in as an argument. */
import { roomOf, tallyOf, Windows } from "../../base/window.ts";
import { ms, type Ms } from "../../base/units.ts";
import type { Deed, Spent } from "../../sheets/ledger.ts";
import { Days } from "./days.ts";
import type { Now } from "./slots.ts";

interface Standing {
  readonly deed: Deed;
  readonly left: number;
  readonly resetIn: Ms;
  /** 0: there is room. */
  readonly waits: Ms;
}

type Over = Extract<Spent, { is: "over" }>;

function overOf(standings: readonly Standing[]): Over | undefined {
  const over = standings.filter(({ waits }) => waits > 0).toSorted((a, b) => b.waits - a.waits)[0];
  return over === undefined ? undefined : { is: "over", key: over.deed.key, retryAfter: over.waits };
}

export class Counts {
  readonly windows = new Windows();
  readonly days: Days;

  constructor(zone: string) {
    this.days = new Days(zone);
  }

  /** Counts all deeds, or none. */
  spend(deeds: readonly Deed[], at: Now): Spent {
    const standings = deeds.map((deed) => this.#standing(deed, at));
    const over = overOf(standings);
    if (over !== undefined) return over;
    for (const deed of deeds) this.#add(deed, 1, at);
    const tightest = standings.toSorted((a, b) => a.left / roomOf(a.deed) - b.left / roomOf(b.deed))[0];
    if (tightest === undefined) return { is: "ok", left: Number.MAX_SAFE_INTEGER, resetIn: ms(0) };
    const { deed, left } = tightest;
    return { is: "ok", key: deed.key, left, resetIn: this.#standing(deed, at).resetIn };
  }

  /** @returns why `spend` would refuse; undefined: it would not. */
  over(deeds: readonly Deed[], at: Now): Over | undefined {
    return overOf(deeds.map((deed) => this.#standing(deed, at)));
  }

  refund(deeds: readonly Deed[], at: Now): void {
    for (const deed of deeds) this.#add(deed, -1, at);
  }

  #standing(deed: Deed, { now, wall }: Now): Standing {
    const { key, most, per, times = 1 } = deed;
    if (per === "day") {
      const [used, resetIn] = [this.days.used(key, wall), this.days.resetIn(wall)];
      return { deed, left: Math.max(0, most - used - times), resetIn, waits: used + times > most ? resetIn : ms(0) };
    }
    const { used, resetIn, waits } = this.windows.level({ ...deed, per, times }, now);
    return { deed, left: Math.max(0, Math.floor(roomOf(deed) - used - times)), resetIn, waits };
  }

  #add(deed: Deed, sign: 1 | -1, { now, wall }: Now): void {
    const { key, per, times = 1 } = deed;
    if (per === "day") return this.days.add(key, sign * times, wall);
    const tally = tallyOf({ ...deed, per, times });
    if (sign > 0) this.windows.add(tally, now);
    else this.windows.remove(tally, now);
  }
}

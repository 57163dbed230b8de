/**
 * The faults that wait for their calls. Every call is shown to each of them in order: delays and edits all take hold, and of
 * those that decide its answer the first that hits; the ones behind it do not see the call.
 */
import type { Clock } from "../../base/clock.ts";
import { after, ms, type Instant } from "../../base/units.ts";
import { isPassing, type Ending, type Fault, type Passing } from "./fault-kinds.ts";
import { random } from "./latency.ts";
import { LIMITS } from "./limits.ts";
import { isRead } from "./api/discovery.ts";

interface Armed {
  readonly fault: Fault;
  /** Calls that it was shown, and those that it hit. */
  seen: number;
  hits: number;
  readonly until: Instant | undefined;
  readonly chance: () => number;
}

/** What befalls one call. */
export interface Befallen {
  readonly passing: readonly (Fault & Passing)[];
  readonly ending: (Fault & Ending) | undefined;
}

/** What the faults have done since the start. */
export interface Delivered {
  readonly total: number;
  readonly byKind: Readonly<Record<string, number>>;
  readonly byMethod: Readonly<Record<string, number>>;
}

const meant = (fault: Fault, method: string): boolean => {
  if (fault.method === method) return true;
  if (method === "oauth.token") return false;
  return (
    fault.method === "*" ||
    (fault.method === "read" && isRead(method)) ||
    (fault.method === "write" && !isRead(method))
  );
};

const left = ({ fault, hits }: Armed): Fault =>
  fault.times === undefined ? fault : { ...fault, times: fault.times - hits };

export class Faults {
  readonly #clock: Clock;
  #armed: readonly Armed[] = [];
  readonly #byKind = new Map<string, number>();
  readonly #byMethod = new Map<string, number>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** @throws RangeError when too many wait already: a test that forgot to clear. */
  arm(fault: Fault): void {
    if (this.#waiting().length >= LIMITS.faults)
      throw new RangeError(`${LIMITS.faults} faults wait already: clear them first`);
    const until = fault.for === undefined ? undefined : after(this.#clock.now(), ms(fault.for));
    this.#armed = [
      ...this.#armed,
      { fault, seen: 0, hits: 0, until, chance: random(fault.seed ?? 1) },
    ];
  }

  clear(): void {
    this.#armed = [];
  }

  /** Those that wait, oldest first, with the `times` that are left. */
  list(): readonly Fault[] {
    return this.#waiting().map(left);
  }

  delivered(): Delivered {
    const total = [...this.#byKind.values()].reduce((sum, n) => sum + n, 0);
    return {
      total,
      byKind: Object.fromEntries(this.#byKind),
      byMethod: Object.fromEntries(this.#byMethod),
    };
  }

  /** Shows a call to the faults. @param method its id, or "oauth.token". */
  take(method: string): Befallen {
    const passing: (Fault & Passing)[] = [];
    let ending: (Fault & Ending) | undefined;
    for (const armed of this.#waiting()) {
      const { fault } = armed;
      const ends = !isPassing(fault);
      if (!meant(fault, method) || (ends && ending !== undefined) || !strikes(armed)) continue;
      count(this.#byKind, fault.kind);
      count(this.#byMethod, method);
      if (ends) ending = fault;
      else passing.push(fault);
    }
    this.#armed = this.#waiting();
    return { passing, ending };
  }

  #waiting(): readonly Armed[] {
    const at = this.#clock.now();
    return this.#armed.filter(
      ({ fault, hits, until }) =>
        (until === undefined || at < until) && (fault.times === undefined || hits < fault.times),
    );
  }
}

/** Counts a call for a fault, and says whether it is hit. */
function strikes(armed: Armed): boolean {
  const { skip = 0, every = 1, chance = 1 } = armed.fault;
  armed.seen += 1;
  const nr = armed.seen - skip;
  if (nr <= 0 || nr % every !== 0 || armed.chance() >= chance) return false;
  armed.hits += 1;
  return true;
}

const count = (map: Map<string, number>, key: string): void =>
  void map.set(key, (map.get(key) ?? 0) + 1);

/**
 * The faults that wait for their calls. Each call passes all of them in order. Delays and edits all apply. Of the faults
 * that decide the answer the first one does, and those behind it do not count the call.
 */
import type { Clock } from "../../../base/clock.ts";
import { after, ms, type Instant } from "../../../base/units.ts";
import { random } from "../latency.ts";
import { LIMITS } from "../limits.ts";
import { appliesTo, KINDS, type Delay, type Edit, type Fault } from "./fault.ts";
import type { Refusal, ResponseFault } from "./fault.ts";

interface QueuedFault {
  readonly fault: Fault;
  /** Calls that matched, and those of them that were affected. */
  seen: number;
  hits: number;
  readonly until: Instant | undefined;
  readonly chance: () => number;
}

export interface FaultsForCall {
  readonly delays: readonly Delay[];
  readonly edits: readonly Edit[];
  /** Decides the answer. */
  readonly response: Refusal | ResponseFault | undefined;
}

/** Since the start. */
export interface Delivered {
  readonly total: number;
  readonly byKind: Readonly<Record<string, number>>;
  readonly byMethod: Readonly<Record<string, number>>;
}

export class FaultQueue {
  readonly #clock: Clock;
  #queue: readonly QueuedFault[] = [];
  readonly #byKind = new Map<string, number>();
  readonly #byMethod = new Map<string, number>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** @throws RangeError when too many would wait: a test forgot to clear. */
  add(faults: readonly Fault[]): void {
    const waiting = this.#waiting();
    if (waiting.length + faults.length > LIMITS.faults)
      throw new RangeError(`${LIMITS.faults} faults may wait: clear some first`);
    const added = faults.map((fault) => ({
      fault,
      seen: 0,
      hits: 0,
      until: fault.for === undefined ? undefined : after(this.#clock.now(), ms(fault.for)),
      chance: random(fault.seed ?? 1),
    }));
    this.#queue = [...waiting, ...added];
  }

  clear(): void {
    this.#queue = [];
  }

  /** Oldest first, each with the `times` that are left. */
  list(): readonly Fault[] {
    return this.#waiting().map(({ fault, hits }) =>
      fault.times === undefined ? fault : { ...fault, times: fault.times - hits },
    );
  }

  delivered(): Delivered {
    return {
      total: [...this.#byKind.values()].reduce((sum, n) => sum + n, 0),
      byKind: Object.fromEntries(this.#byKind),
      byMethod: Object.fromEntries(this.#byMethod),
    };
  }

  /** Counts a call for each fault that it passes. @param method its id, or "oauth.token". */
  take(method: string): FaultsForCall {
    const delays: Delay[] = [];
    const edits: Edit[] = [];
    let response: FaultsForCall["response"];
    for (const queued of this.#waiting()) {
      const { fault } = queued;
      const { role } = KINDS[fault.kind];
      const decides = role === "refusal" || role === "response";
      if (!appliesTo(fault, method) || (decides && response !== undefined) || !selects(queued))
        continue;
      count(this.#byKind, fault.kind);
      count(this.#byMethod, method);
      if (fault.kind === "latency") delays.push(fault);
      else if (decides) response = fault as Refusal | ResponseFault;
      else edits.push(fault as Edit);
    }
    this.#queue = this.#waiting();
    return { delays, edits, response };
  }

  #waiting(): readonly QueuedFault[] {
    const at = this.#clock.now();
    return this.#queue.filter(
      ({ fault, hits, until }) =>
        (until === undefined || at < until) && (fault.times === undefined || hits < fault.times),
    );
  }
}

/** Counts a call for a fault. @returns whether the fault affects it. */
function selects(queued: QueuedFault): boolean {
  const { skip = 0, every = 1, chance = 1 } = queued.fault;
  queued.seen += 1;
  const nr = queued.seen - skip;
  if (nr <= 0 || nr % every !== 0 || queued.chance() >= chance) return false;
  queued.hits += 1;
  return true;
}

const count = (map: Map<string, number>, key: string): void =>
  void map.set(key, (map.get(key) ?? 0) + 1);

import type { Clock } from "../../base/clock.ts";
import { between, ms } from "../../base/units.ts";
import { find } from "../core/places.ts";
import type { Master } from "../core/model.ts";
import { send, type Child } from "./children.ts";

/** News is gathered for so long before the workers hear of it. */
const GATHER = ms(10);
/** A worker that has missed two beats is not counted on: it may be stuck, and what it has is no measure for the others. */
const MISSED = 2.5;

/** States in which a worker accepts. */
const SERVING: ReadonlySet<string | undefined> = new Set(["ready", "trial"]);

export interface Balance {
  /** A worker said how many connections it has, became ready, or is gone. */
  changed(): void;
}

export interface BalanceParts {
  readonly clock: Clock;
  readonly children: ReadonlyMap<number, Child>;
  state(): Master;
}

/** Tells the workers what they hold on the average, so that one with more lets the others accept (worker/pace.ts). */
export function createBalance({ clock, children, state }: BalanceParts): Balance {
  const told = new Map<Child, number | null>();
  let timer: NodeJS.Timeout | undefined;

  const counted = (child: Child): boolean =>
    child.role === "worker" &&
    SERVING.has(find(state(), child.pid)?.child.is) &&
    child.lastBeatAt !== undefined &&
    between(child.lastBeatAt, clock.now()) < child.beatEvery * MISSED;

  const tell = (): void => {
    timer = undefined;
    const workers = [...children.values()].filter(counted);
    const share = shareOf(workers.map(({ staying }) => staying));
    for (const child of told.keys()) if (!children.has(child.pid)) told.delete(child);
    for (const child of workers) {
      if (!differs(told.get(child), share)) continue;
      told.set(child, share);
      send(child, { type: "share", connections: share });
    }
  };
  return {
    changed() {
      timer ??= setTimeout(tell, GATHER).unref();
    },
  };
}

/** @returns the mean; null when nobody is there to share with. */
export function shareOf(connections: readonly number[]): number | null {
  if (connections.length < 2) return null;
  return connections.reduce((sum, n) => sum + n, 0) / connections.length;
}

/** Less than half a connection, or 2 %, is no news. */
function differs(before: number | null | undefined, now: number | null): boolean {
  if (before === undefined || before === null || now === null) return before !== now;
  return Math.abs(now - before) >= Math.max(0.5, before / 50);
}

import { availableParallelism } from "node:os";
import type { Clock } from "../../base/clock.ts";
import { between, ms, type Instant } from "../../base/units.ts";
import { find } from "../core/places.ts";
import type { Master } from "../core/model.ts";
import { send, type Child } from "./children.ts";

/** News is gathered for so long before the workers hear of it. */
const GATHER = ms(10);
/** A worker that has missed two beats is not counted on: it may be stuck, and what it has is no measure for the others. */
const MISSED = 2.5;

/** A full worker hears so often that there is room elsewhere: it believes it for longer, and not when the master is stopped. */
const REPEAT = ms(900);

/** States in which a worker accepts. */
const SERVING: ReadonlySet<string | undefined> = new Set(["ready", "trial"]);

export interface Balance {
  /** A worker said how many connections it has, beat, became ready, or is gone. */
  changed(): void;
}

export interface BalanceParts {
  readonly clock: Clock;
  readonly children: ReadonlyMap<number, Child>;
  state(): Master;
  /** So many workers at work use all of the machine. */
  readonly cpus?: number;
}

/** What a worker was told last. */
interface Told {
  readonly share: number | null;
  readonly room: boolean;
  readonly standby: boolean;
  readonly at: Instant;
}

/**
 * Tells the workers what they hold on the average, so that one with more lets the others accept (worker/pace.ts), and whether there is
 * room among them, so that one at its cap closes nobody as long as there is (worker/cap.ts). In churn the first of them accept, as many as
 * there are CPUs, and the others stand by.
 */
export function createBalance({ clock, children, state, cpus = availableParallelism() }: BalanceParts): Balance {
  const told = new Map<Child, Told>();
  let timer: NodeJS.Timeout | undefined;

  /** Those that accept and are not silent, by slot. */
  const counted = (): Child[] =>
    [...children.values()]
      .filter(
        ({ role, lastBeatAt, beatEvery }) =>
          role === "worker" && lastBeatAt !== undefined && between(lastBeatAt, clock.now()) < beatEvery * MISSED,
      )
      .flatMap((child) => {
        const found = find(state(), child.pid);
        return found !== undefined && SERVING.has(found.child.is) ? [{ child, slot: found.place.nr }] : [];
      })
      .sort((a, b) => a.slot - b.slot)
      .map(({ child }) => child);

  const tell = (): void => {
    timer = undefined;
    const workers = counted();
    const share = shareOf(workers.map(({ staying }) => staying));
    for (const child of told.keys()) if (!children.has(child.pid)) told.delete(child);
    const room = workers.length > 1 && workers.some(({ full }) => !full);
    const at = clock.now();
    for (const [rank, child] of workers.entries()) {
      const standby = rank >= cpus;
      const before = told.get(child);
      const due = child.full && room && between(before?.at ?? at, at) >= REPEAT;
      if (before?.room === room && before.standby === standby && !differs(before.share, share) && !due) continue;
      told.set(child, { share, room, standby, at });
      send(child, { type: "share", connections: share, room, standby });
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
function differs(before: number | null, now: number | null): boolean {
  if (before === null || now === null) return before !== now;
  return Math.abs(now - before) >= Math.max(0.5, before / 50);
}

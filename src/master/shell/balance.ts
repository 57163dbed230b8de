import { availableParallelism } from "node:os";
import type { Clock } from "../../base/clock.ts";
import { between, ms, seconds, type Instant } from "../../base/units.ts";
import { find } from "../core/places.ts";
import type { Master } from "../core/model.ts";
import { send, type Child } from "./children.ts";

/** News is gathered for so long before the workers hear of it. */
const GATHER = ms(10);
/** A worker that has missed two beats is not counted on: it may be stuck, and what it has is no measure for the others. */
const MISSED = 2.5;

/** What holds on is said so often: a worker believes it for longer, and not when the master is stopped. */
const REPEAT = ms(900);

/** A worker to which connections come and go says so every 200 ms; one that has not for so long is held up, or they no longer come to it. */
const UNHEARD = ms(600);

/** Who comes and goes does so again: the workers need not find it out each time. One that sees none itself accepts as ever meanwhile. */
const REMEMBERED = seconds(30);

/** So many connections above a tenth more than the mean, one does not lead: some of what comes and goes is always counted with those that stay. */
const SPARE = 4;

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
 * room among them, so that one at its cap closes nobody as long as there is (worker/cap.ts). While connections come and go as many of them
 * lead as there are CPUs, and the others are told to stand by (worker/standby.ts).
 */
export function createBalance({ clock, children, state, cpus = availableParallelism() }: BalanceParts): Balance {
  const told = new Map<Child, Told>();
  let timer: NodeJS.Timeout | undefined;
  let churnedAt: Instant | undefined;

  const counted = (child: Child): boolean =>
    child.role === "worker" &&
    SERVING.has(find(state(), child.pid)?.child.is) &&
    child.lastBeatAt !== undefined &&
    between(child.lastBeatAt, clock.now()) < child.beatEvery * MISSED;

  /** Those who are to take what comes and goes; undefined: nobody has said for long that anything does. */
  const leaders = (workers: readonly Child[], share: number | null): ReadonlySet<Child> | undefined => {
    const now = clock.now();
    const unheard = ({ churnsAt }: Child): boolean => churnsAt !== undefined && between(churnsAt, now) > UNHEARD;
    if (workers.some((child) => child.churnsAt !== undefined && !unheard(child))) churnedAt = now;
    if (share === null || churnedAt === undefined || between(churnedAt, now) > REMEMBERED) return undefined;
    const behind = (child: Child): number =>
      find(state(), child.pid)?.child.is === "trial" ? 2 : child.full || unheard(child) || child.staying > share * 1.1 + SPARE ? 1 : 0;
    const ranks = new Map(workers.map((child) => [child, behind(child)]));
    const byRank = (a: Child, b: Child): number => (ranks.get(a) ?? 0) - (ranks.get(b) ?? 0) || a.nr - b.nr;
    return new Set(workers.toSorted(byRank).slice(0, cpus));
  };

  const tell = (): void => {
    timer = undefined;
    const workers = [...children.values()].filter(counted);
    const share = shareOf(workers.map(({ staying }) => staying));
    for (const child of told.keys()) if (!children.has(child.pid)) told.delete(child);
    const room = workers.length > 1 && workers.some(({ full }) => !full);
    const leading = leaders(workers, share);
    const at = clock.now();
    for (const child of workers) {
      const standby = leading !== undefined && !leading.has(child);
      const before = told.get(child);
      const due = ((child.full && room) || standby) && between(before?.at ?? at, at) >= REPEAT;
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

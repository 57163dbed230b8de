/**
 * Requests a second of each process. Its counter comes with its beats, not when we ask: the rate is the counter's growth over the
 * time between the two beats that we saw, and stays until another one comes.
 */
import type { ChildView } from "../../master/snapshot.ts";
import type { Status } from "../snapshot.ts";

interface Seen {
  readonly served: number;
  /** Wall clock of the daemon, milliseconds. */
  readonly beatAt: number;
  readonly perSecond: number | undefined;
}

/** By pid. */
export type Rates = ReadonlyMap<number, Seen>;

/** Beats whose times differ by less are the same one: both ages are rounded by the way here. */
const SAME = 50;

export function ratesOf(before: Rates, status: Status): Rates {
  const children = status.places.flatMap((place) => [place.child, place.successor, ...place.leaving]);
  return new Map(
    children.flatMap((child) => {
      const seen = child === null ? undefined : seenOf(before.get(child.pid), child, status.at);
      return child === null || seen === undefined ? [] : [[child.pid, seen] as const];
    }),
  );
}

function seenOf(before: Seen | undefined, { served, beatAge }: ChildView, at: number): Seen | undefined {
  if (served === null || beatAge === null) return undefined;
  const beatAt = at - beatAge;
  if (before === undefined) return { served, beatAt, perSecond: undefined };
  const elapsed = beatAt - before.beatAt;
  if (elapsed < SAME) return before;
  return { served, beatAt, perSecond: Math.max(0, served - before.served) / (elapsed / 1_000) };
}

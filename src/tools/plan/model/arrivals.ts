/** A launch: how many of its visitors have come by when. Little's law makes users at once of it: arrivals a second × the time that each stays. */
import { inside } from "./erlang.ts";

export interface Arrivals {
  readonly visitors: number;
  /** The part of the visitors that has come `after` seconds; both rise. */
  readonly curve: readonly { readonly after: number; readonly part: number }[];
}

export interface Stretch {
  /** Seconds since the launch. */
  readonly until: number;
  /** Arrivals within it. */
  readonly visitors: number;
  readonly perSecond: number;
}

export interface Launch {
  readonly stretches: readonly Stretch[];
  readonly peakPerSecond: number;
  /** Seconds that a visitor stays. */
  readonly stay: number;
  /** At the peak. */
  readonly users: number;
}

export function stretchesOf({ visitors, curve }: Arrivals): Stretch[] {
  let before = { after: 0, part: 0 };
  return curve.map((point) => {
    const come = visitors * (point.part - before.part);
    const stretch = {
      until: point.after,
      visitors: come,
      perSecond: come / (point.after - before.after),
    };
    before = point;
    return stretch;
  });
}

/** @param stay seconds that each visitor stays. */
export function launchOf(arrivals: Arrivals, stay: number): Launch {
  const stretches = stretchesOf(arrivals);
  const peakPerSecond = Math.max(...stretches.map(({ perSecond }) => perSecond));
  return {
    stretches,
    peakPerSecond,
    stay,
    users: Math.max(1, Math.min(arrivals.visitors, Math.round(inside(peakPerSecond, stay)))),
  };
}

/** Seconds that a visitor must stay for `users` to be there at once at the peak. */
export const stayFor = (arrivals: Arrivals, users: number): number =>
  users / Math.max(...stretchesOf(arrivals).map(({ perSecond }) => perSecond));

/**
 * How much a client has left: `RateLimit` and `RateLimit-Policy`, structured fields as of draft-ietf-httpapi-ratelimit-headers-10.
 *
 *   RateLimit-Policy: "write";q=100;w=60, "day";q=500;w=86400
 *   RateLimit: "write";r=97;t=58
 *
 * The draft has no parameter for a burst, and asks for a vendor's prefix on parameters of one's own.
 */
import type { Ms } from "../../base/units.ts";
import type { Deed, Spent } from "../../sheets/ledger.ts";

/** A deed, and the name that clients read for it. */
export interface NamedDeed extends Deed {
  readonly name: string;
}

const DAY_SECONDS = 86_400;
const whole = (wait: Ms): number => Math.max(0, Math.ceil(wait / 1_000));

/** @param deeds what the client itself is limited by, in order; none: no headers. */
export function rateLimitHeaders(deeds: readonly NamedDeed[], spent: Spent): Readonly<Record<string, string>> {
  if (deeds.length === 0) return {};
  const policy = deeds
    .map(({ name, most, per, burst }) => {
      const quota = `"${name}";q=${most};w=${per === "day" ? DAY_SECONDS : whole(per)}`;
      return burst === undefined ? quota : `${quota};drover-burst=${burst}`;
    })
    .join(", ");
  const nearest = deeds.find(({ key }) => key === spent.key);
  if (nearest === undefined) return { "RateLimit-Policy": policy };
  const [left, reset] = spent.is === "ok" ? [spent.left, spent.resetIn] : [0, spent.retryAfter];
  return { "RateLimit-Policy": policy, RateLimit: `"${nearest.name}";r=${left};t=${whole(reset)}` };
}

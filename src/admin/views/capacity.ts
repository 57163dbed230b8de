/** `GET /api/admin/capacity`: how many are in, of how many, and what comes next. */
import { REQUEST_CLASSES } from "../../base/requestclass.ts";
import { capacityOf, effectiveMax, slotsState, type Shortage } from "../../base/slots.ts";
import { NEAR, type Limit } from "../advice/advice.ts";
import type { AdminSnapshot } from "../source.ts";

/** The names of the first six are those that monitors already look for. @param slotsWanted slots there are, by the settings. */
export function capacityView(snapshot: AdminSnapshot, slotsWanted: number): { readonly success: true; readonly capacity: object } {
  const slots = snapshot.slots ?? slotsState(0, slotsWanted);
  const { percentUsed, available } = capacityOf(slots);
  const serves = snapshot.workers.ready > 0 && (snapshot.state === "running" || snapshot.state === "reloading");
  return {
    success: true,
    capacity: {
      current_bots: slots.used,
      max_bots: slots.max,
      percent_used: percentUsed,
      available_slots: available,
      status: slots.status,
      can_accept_new: serves && slots.used < slots.max && slots.closed === undefined,
      current: slots.used,
      max: slots.max,
      effective_max: effectiveMax(slots),
      limited_by: limitedBy(snapshot),
      time_above_80pct: timeAbove(snapshot),
      eta_full_s: snapshot.fullIn === null ? null : Math.round(snapshot.fullIn / 1_000),
      per_class: perClass(snapshot),
      leases: { active: slots.used, zombies_reaped_total: snapshot.counters.slotsExpired },
    },
  };
}

/** Why new sessions are refused, else what binds first when it is near; null: there is room. */
export const limitedBy = ({ advice, slots }: AdminSnapshot): Limit | Shortage | null =>
  slots?.closed ?? (advice.share >= NEAR ? advice.limit : null);

/** Seconds at or above 80 % of the slots, by the span looked back over. */
const timeAbove = ({ usage }: AdminSnapshot): Readonly<Record<string, number>> =>
  Object.fromEntries(Object.entries(usage.timeAbove80pct).map(([span, time]) => [span, Math.round(time / 1_000)]));

/** Requests of each class that are being answered now, as the last beats said. */
export function perClass({ places }: AdminSnapshot): Readonly<Record<string, number>> {
  const sums = Object.fromEntries(REQUEST_CLASSES.map((kind) => [kind, 0])) as Record<string, number>;
  for (const { child, leaving } of places)
    for (const { byClass } of [child, ...leaving].filter((one) => one !== null))
      for (const kind of REQUEST_CLASSES) sums[kind] = (sums[kind] ?? 0) + (byClass?.[kind] ?? 0);
  return sums;
}

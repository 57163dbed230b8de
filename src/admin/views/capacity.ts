/** `GET /api/admin/capacity`: how many are in, of how many, and what comes next. */
import { REQUEST_CLASSES } from "../../base/requestclass.ts";
import { capacityOf, slotsState } from "../../base/slots.ts";
import type { AdminSnapshot } from "../source.ts";

export interface CapacityFacts {
  readonly snapshot: AdminSnapshot;
  /** Slots there are, by the settings. */
  readonly slotsWanted: number;
  /** By the trend. */
  readonly etaFull: number | null;
}

/** The names of the first six are those that monitors already look for. */
export function capacityView({ snapshot, slotsWanted, etaFull }: CapacityFacts): { readonly success: true; readonly capacity: object } {
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
      can_accept_new: serves && slots.used < slots.max,
      current: slots.used,
      max: slots.max,
      limited_by: limitedBy(snapshot),
      eta_full_s: etaFull,
      per_class: perClass(snapshot),
      leases: { active: slots.used, zombies_reaped_total: snapshot.counters.slotsExpired },
    },
  };
}

/** What binds first: a full house, else what the machine or Google holds back; null: nothing does. */
export const limitedBy = (snapshot: AdminSnapshot): string | null =>
  snapshot.slots?.status === "FULL" ? "slots" : (snapshot.limitedBy[0] ?? null);

/** Requests of each class that are being answered now, as the last beats said. */
export function perClass({ places }: AdminSnapshot): Readonly<Record<string, number>> {
  const sums = Object.fromEntries(REQUEST_CLASSES.map((kind) => [kind, 0])) as Record<string, number>;
  for (const { child, leaving } of places)
    for (const { byClass } of [child, ...leaving].filter((one) => one !== null))
      for (const kind of REQUEST_CLASSES) sums[kind] = (sums[kind] ?? 0) + (byClass?.[kind] ?? 0);
  return sums;
}

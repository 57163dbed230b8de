/** What the admin API sees of the master, and what it may ask of it: never the master itself. */
import type { AsideList } from "../base/aside.ts";
import type { Ms } from "../base/units.ts";
import type { Snapshot } from "../master/snapshot.ts";
import type { Advice } from "./advice/advice.ts";
import type { AlertTest, AlertView } from "./alerts/view.ts";
import type { ScheduleView, UsageView } from "./slots/view.ts";

/** The master's snapshot, how it is judged, and where the data comes from. */
export interface AdminSnapshot extends Snapshot {
  readonly data: string;
  readonly urls: readonly string[];
  readonly cacheTtl: Ms;
  /** Why the last reload was refused before anything rolled. */
  readonly refusedReload: string | null;
  readonly alerts: readonly AlertView[];
  /** The last test of each sink. */
  readonly alertTests: readonly AlertTest[];
  /** Requests of an external monitor since the daemon started. */
  readonly monitorRequests: number;
  readonly advice: Advice;
  /** Until all slots are taken; null: no clear trend. */
  readonly fullIn: Ms | null;
  /** The launch schedule; null: there is none. */
  readonly schedule: ScheduleView | null;
  readonly usage: UsageView;
}

/** What became of an order, in words. */
export type Outcome =
  /** `partly`: of what was named, not all was done. */
  | { readonly ok: true; readonly message: string; readonly generation?: number; readonly partly?: boolean }
  /** `unknown`: what was named is not there at all. */
  | { readonly ok: false; readonly message: string; readonly unknown?: readonly string[] };

export interface Master {
  snapshot(): AdminSnapshot;
  reload(): Outcome;
  scale(to: number): Outcome;
  recycle(slot: number | undefined): Outcome;
  stack(slot: number): Promise<Outcome>;
  /** From now on, until DROVER_MAX_SLOTS itself changes. */
  maxSlots(max: number): Promise<Outcome>;
  /** Holds the launch schedule, or lets it go on. */
  schedule(order: "hold" | "resume"): Outcome;
  purge(table: string | null): Promise<Outcome>;
  reap(): Promise<Outcome>;
  /** The oldest writes that Google has refused for good; or why nobody says. */
  aside(most: number): Promise<AsideList | { readonly ok: false; readonly message: string }>;
  /** Tries such writes again, or gives them up. @param ids undefined: all. */
  deal(verb: "retry" | "discard", ids: readonly string[] | undefined): Promise<Outcome>;
  /** How many slots there are, whether anybody logs in or not. */
  slotsWanted(): number;
  /** Most workers that `scale` takes. */
  leastWorkers(): number;
  mostWorkers(): number;
}

/** Who judges the figures. What it finds is in the snapshot. */
export interface Monitoring {
  /** @returns false when there is no such alert now. */
  ack(name: string): boolean;
  /** The text of `/metrics`. */
  metrics(): string;
}

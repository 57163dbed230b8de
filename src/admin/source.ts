/** What the admin API sees of the master, and what it may ask of it: never the master itself. */
import type { Ms } from "../base/units.ts";
import type { Snapshot } from "../master/snapshot.ts";

/** The master's snapshot, and where the data comes from. */
export interface AdminSnapshot extends Snapshot {
  readonly data: string;
  readonly urls: readonly string[];
  readonly cacheTtl: Ms;
  /** Why the last reload was refused before anything rolled. */
  readonly refusedReload: string | null;
}

/** What became of an order, in words. */
export type Outcome =
  | { readonly ok: true; readonly message: string; readonly generation?: number }
  | { readonly ok: false; readonly message: string };

export interface Master {
  snapshot(): AdminSnapshot;
  reload(): Outcome;
  scale(to: number): Outcome;
  recycle(slot: number | undefined): Outcome;
  stack(slot: number): Promise<Outcome>;
  /** From now on, until DROVER_MAX_SLOTS itself changes. */
  maxSlots(max: number): Promise<Outcome>;
  purge(table: string | null): Promise<Outcome>;
  reap(): Promise<Outcome>;
  /** How many slots there are, whether anybody logs in or not. */
  slotsWanted(): number;
  /** Most workers that `scale` takes. */
  readonly mostWorkers: number;
}

/** An alert that is raised now. */
export interface AlertView {
  readonly id: string;
  readonly level: "warning" | "urgent" | "critical";
  readonly text: string;
  /** ISO 8601. */
  readonly since: string;
  readonly acknowledged: boolean;
}

/** Who evaluates the alerts. */
export interface Alerts {
  list(): readonly AlertView[];
  /** @returns false when there is no such alert now. */
  acknowledge(id: string, by: string): boolean;
}

/** One next step for the operator, with its reason. */
export interface Advice {
  readonly constraint: string;
  readonly text: string;
}

/** What the admin API sees of the master, and what it may ask of it: never the master itself. */
import type { Ms, Timestamp } from "../base/units.ts";
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
  readonly name: string;
  /** "warning", "urgent", "critical". */
  readonly level: string;
  readonly text: string;
  readonly since: Timestamp;
  readonly acked: Timestamp | null;
}

/** What holds the service back, and one next step for the operator, with its reason. */
export interface Advice {
  readonly limit: string;
  readonly reason: string;
  readonly step: string;
}

/** Who judges the figures. */
export interface Monitoring {
  alerts(): readonly AlertView[];
  /** @returns false when there is no such alert now. */
  ack(name: string): boolean;
  advice(): Advice | null;
  /** Until all slots are taken; null: no clear trend. */
  fullIn(): Ms | null;
  /** The text of `/metrics` (Prometheus 0.0.4); undefined: this daemon has none. */
  metrics(): string | undefined;
}

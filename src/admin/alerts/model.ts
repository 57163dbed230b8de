/** What an alert is. */
import type { Said } from "../said.ts";
import type { Instant, Ms, Timestamp } from "../../base/units.ts";

export type Level = "warning" | "urgent" | "critical";

export const ALERT_NAMES = [
  "capacity",
  "latency",
  "cpu",
  "memory",
  "restarts",
  "workers",
  "broker",
  "quota",
  "rate-limited",
  "session-store",
  "other-writer",
  "google",
  "credentials",
  "tables",
  "parked",
  "backlog",
  "journal",
  "table-size",
  "disk",
  "reload",
  "slot-schedule",
  "time_above_80pct",
  "errors",
  "refusals",
  "worker-memory",
] as const;
export type AlertName = (typeof ALERT_NAMES)[number];

/** From this value on. */
export interface Band {
  readonly level: Level;
  readonly from: number;
}

/** When an alert is raised, and when it ends. */
export interface Rule<Name extends string = AlertName> {
  readonly name: Name;
  /** Rising. */
  readonly bands: readonly Band[];
  /** How long a value must stay in a band, or above, before that is said. */
  readonly for: Ms;
  /** A band is left this far below where it was entered, in the value's unit. */
  readonly clearance: number;
  /** How long it must stay below before that is said. */
  readonly calm: Ms;
}

/** What a rule judges, and the same in words. */
export interface Reading {
  readonly value: number;
  readonly text: string;
  /** The text for other languages. */
  readonly said?: Said | undefined;
}

/** -1: no band. */
export type BandIndex = number;

/** An alert that fires: when it was raised, and by which words it is told now. */
export interface Raised extends Reading {
  readonly at: Timestamp;
  readonly peak: number;
}

/** One rule's state. A value must persist on its way to another band. */
export interface AlertState {
  readonly band: BandIndex;
  /** The nearest band of all that the value has been in since it left this one's. */
  readonly toward: { readonly band: BandIndex; readonly since: Instant } | undefined;
  /** Since when there is no reading. */
  readonly blindSince: Instant | undefined;
  /** There as long as it fires. */
  readonly raised: Raised | undefined;
  /** Somebody has seen it. */
  readonly acked: Timestamp | undefined;
}

export const QUIET: AlertState = { band: -1, toward: undefined, blindSince: undefined, raised: undefined, acked: undefined };

export type Change = "raised" | "escalated" | "eased" | "cleared";

import type { Measured } from "../../base/measured.ts";
import type { Ms } from "../../base/units.ts";
import type { Snapshot } from "../../master/snapshot.ts";
import type { Limit } from "../advice/advice.ts";
import type { AlertView, Delivered } from "../alerts/view.ts";
import type { ScheduleView, UsageView } from "../slots/view.ts";

/** All that the text of /metrics is made of. */
export interface MetricsInput {
  readonly snapshot: Snapshot;
  readonly measured: Measured;
  /** process.versions.node of the master; its children run the same. */
  readonly node: string;
  /** What binds next. */
  readonly limit: Limit;
  /** Until all slots are taken; null: no clear trend. */
  readonly fullIn: Ms | null;
  /** How long at least 80 % of the slots were taken, by the span looked back over. */
  readonly above80: UsageView["timeAbove80pct"];
  readonly schedule: ScheduleView | null;
  readonly alerts: readonly AlertView[];
  /** How often each alert was raised. */
  readonly raised: Readonly<Record<string, number>>;
  readonly delivered: readonly Delivered[];
}

/** One metric's lines; empty: it has none. */
export type Lines = (input: MetricsInput, name: string) => string;

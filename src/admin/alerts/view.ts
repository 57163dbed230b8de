import type { Ms, Timestamp } from "../../base/units.ts";
import type { Said } from "../said.ts";
import type { AlertName, Change, Level } from "./model.ts";

/** An alert that fires, for status, the dashboard and /stats. */
export interface AlertView {
  readonly name: AlertName;
  readonly level: Level;
  readonly since: Timestamp;
  readonly value: number;
  readonly peak: number;
  /** From which value on it fires at this level. */
  readonly threshold: number;
  readonly text: string;
  /** The text for other languages. */
  readonly said?: Said | undefined;
  readonly acked: Timestamp | null;
}

/** What is told when an alert changes: the JSON that sinks get. */
export interface Notice {
  /** The same at every try to deliver it. */
  readonly id: string;
  readonly alert: AlertName | "test";
  readonly event: Change | "test";
  /** Of a cleared one, the level it had. */
  readonly level: Level;
  readonly text: string;
  readonly value: number;
  readonly threshold: number;
  readonly at: Timestamp;
  readonly since: Timestamp;
  /** How long it fired; null while it does. */
  readonly lasted: Ms | null;
}

export const SINKS = ["log", "webhook", "command"] as const;
export type Sink = (typeof SINKS)[number];

/** `failed`: a try that will be repeated; `lost`: given up, or pushed out of a full queue. */
export type DeliveryResult = "ok" | "failed" | "lost";
export interface Delivered {
  readonly sink: Sink;
  readonly result: DeliveryResult;
  readonly n: number;
}

/** What came of the last test of one sink. */
export interface AlertTest {
  readonly sink: Sink;
  readonly at: Timestamp;
  readonly result: DeliveryResult;
  /** Empty when it was taken. */
  readonly why: string;
}

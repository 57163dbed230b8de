/** The words of the change feed: what became of rows, and where an event stands in the broker's sequence. */
import { count, record } from "../base/fields.ts";

/**
 * A place in the sequence of events. `seq` counts; `epoch` is the broker's that made the event, so that a number that was given
 * twice (a data directory was lost, or an old one restored) is not taken for what it was.
 */
export interface Position {
  readonly epoch: number;
  readonly seq: number;
}

/** Whether a message has a place there. */
export const isPosition = (v: unknown): v is Position => record(v) && count(v["epoch"]) && count(v["seq"]);

/** Why a client has to read again: its place is not known any more; the table's columns or definition are others; too many rows changed at once. */
export type ResetReason = "history" | "columns" | "many";

/** What happened to one row, by key; or to a table as a whole. `row` is the row's JSON text as every list shows it: nothing hidden is in it. */
export type RowChange =
  | { readonly kind: "row.created" | "row.updated"; readonly key: string; readonly row: string }
  | { readonly kind: "row.deleted"; readonly key: string };
export type TableChange = RowChange | { readonly kind: "reset"; readonly reason: ResetReason };

export interface FeedEvent extends Position {
  readonly table: string;
  /** How the table was cut when this was made: under another definition it may show what is hidden now, and is sent to nobody. */
  readonly definition: string;
  /** The version of the table's rows that has this change in it. */
  readonly version: number;
  readonly what: TableChange;
}

/** All events between two places that may be told: none is missing but those that nobody may see any more. */
export interface Changes {
  readonly after: Position;
  readonly events: readonly FeedEvent[];
  /** The last place: an event's, or a later one whose event was taken out. */
  readonly upTo: Position;
}

/** An event's id as clients see it. */
export const idOf = ({ epoch, seq }: Position): string => `${epoch}-${seq}`;

/** @returns the place that an id names, or undefined when it is none. */
export function readId(text: string): Position | undefined {
  const [, epoch, seq] = /^(\d{1,15})-(\d{1,15})$/.exec(text) ?? [];
  return epoch === undefined || seq === undefined ? undefined : { epoch: Number(epoch), seq: Number(seq) };
}

export const samePlace = (a: Position, b: Position): boolean => a.epoch === b.epoch && a.seq === b.seq;

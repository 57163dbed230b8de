/** What is said of writes that Google has refused for good, between the broker and whoever asks. */
import type { Timestamp } from "./units.ts";

/** One of them, without its values: those are rows of the sheet. */
export interface SetAsideView {
  readonly id: string;
  readonly table: string;
  readonly op: "append" | "update" | "delete";
  readonly key: string;
  /** Why. */
  readonly reason: string;
  /** When it was accepted, or tried again. */
  readonly at: Timestamp;
  readonly parkedAt: Timestamp;
}

export interface AsideList {
  /** How many there are. */
  readonly count: number;
  /** The oldest of them. */
  readonly writes: readonly SetAsideView[];
}

/** What became of an order to try writes again, or to give them up. */
export interface Dealt {
  readonly done: readonly string[];
  readonly refused: readonly { readonly id: string; readonly why: string }[];
  /** Nobody has heard of these, or they landed over a week ago. */
  readonly unknown: readonly string[];
  /** Still set aside. */
  readonly left: number;
}

/** Of a list. */
export const MOST_ASIDE = 100;
/** Ids in one order, and characters of one. */
export const MOST_IDS = 100;
export const LONGEST_WRITE_ID = 64;

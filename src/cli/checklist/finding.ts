/** What looking at one item has found. */
import { elapsed, type Timestamp } from "../../base/units.ts";
import { span } from "../terminal/figures.ts";
import type { Seen } from "./facts.ts";

/** `skipped`: this service has nothing of the kind. */
export type State = "done" | "open" | "failed" | "skipped";

export interface Finding {
  readonly is: State;
  readonly why: string;
  /** When it was so; absent: now. */
  readonly at?: Timestamp;
}

const finding =
  (is: State) =>
  (why: string, at?: Timestamp): Finding => ({ is, why, ...(at === undefined ? {} : { at }) });

export const done = finding("done");
export const open = finding("open");
export const failed = finding("failed");
export const skipped = finding("skipped");

export const timeOf = ({ at }: { readonly at: string }): Timestamp => Date.parse(at) as Timestamp;
export const ago = (at: Timestamp, now: Timestamp): string => `${span(elapsed(at, now))} ago`;
export const counted = (n: number, one: string): string => `${n} ${one}${n === 1 ? "" : "s"}`;

/** Looks at what could be seen; what could not leaves its item open. */
export const given = <T>(what: Seen<T>, look: (value: T) => Finding): Finding =>
  what.is === "seen" ? look(what.value) : open(`can't be seen: ${what.brief}`);

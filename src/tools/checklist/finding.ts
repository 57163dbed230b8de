/** The result of one check. */
import { elapsed, type Timestamp } from "../../base/units.ts";
import { span } from "../../cli/terminal/figures.ts";
import type { Facts, Known } from "./facts.ts";
import type { Status } from "../../cli/snapshot.ts";

/** `skipped`: does not apply to this service. */
export interface Finding {
  readonly state: "done" | "open" | "failed" | "skipped";
  readonly why: string;
  /** When it was so; absent: now. */
  readonly at?: Timestamp;
}
export type Check = (facts: Facts) => Finding;

const finding =
  (state: Finding["state"]) =>
  (why: string, at?: Timestamp): Finding => ({ state, why, ...(at === undefined ? {} : { at }) });
export const done = finding("done");
export const open = finding("open");
export const failed = finding("failed");
export const skipped = finding("skipped");

export const timeOf = ({ at }: { readonly at: string }): Timestamp => Date.parse(at) as Timestamp;
export const ago = (at: Timestamp, now: Timestamp): string => `${span(elapsed(at, now))} ago`;

/** An unknown fact leaves its item open. */
export const given = <T extends object>(fact: Known<T>, check: (value: T) => Finding): Finding =>
  typeof fact === "string" ? open(`can't be seen: ${fact}`) : check(fact);

/** The reason why there is no status is in the first line of the output. */
export const running =
  (check: (status: Status, facts: Facts) => Finding): Check =>
  (facts) =>
    typeof facts.status === "string"
      ? open("can't be seen: no daemon answers")
      : check(facts.status, facts);

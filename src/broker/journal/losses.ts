/** What can be known of the writes that a damaged journal has lost, in words for the operator. */
import type { LastAccepted } from "./journal.ts";

export interface Findings {
  /** The largest number of a write that the files show. */
  readonly last: number;
  /** Numbers between the oldest write that waits and `last` that are nowhere. */
  readonly missing: number;
  readonly unreadable: number;
  /** From outside the journal, if it is about this journal. */
  readonly accepted: LastAccepted | undefined;
}

/** Writes that were accepted after the last one that the files show; undefined: none is known. */
export function lostTail(last: number, accepted: LastAccepted | undefined): string | undefined {
  if (accepted === undefined || accepted.lsn <= last) return undefined;
  const count = accepted.lsn - last;
  return `writes up to number ${accepted.lsn} were acknowledged (broker.json), and at least the last ${count} of them are not in the journal: they are lost unless the sheet has them`;
}

export function lossText({ last, missing, unreadable, accepted }: Findings): string {
  return [
    ...(missing > 0 ? [`at least ${missing} acknowledged writes are lost`] : []),
    ...(unreadable > 0 ? [`${unreadable} rows could not be read`] : []),
    `the last number found is ${last}, and ${lostTail(last, accepted) ?? "whether later writes were acknowledged is not known"}`,
  ].join("; ");
}

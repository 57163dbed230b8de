/** 503 for what has never been loaded: rows once seen are always served, however old. */
import { quoted } from "./query/model.ts";
import type { Unavailable } from "../sheets/types.ts";
import { problem, retryAfter, type Problem } from "./problem.ts";

/** Public words for each reason: the operator's message may name accounts and addresses, so it stays in the log. */
const REASONS: { readonly [R in Unavailable["reason"]]: string } = {
  unknown: "the tables are not known yet",
  "never-loaded": "its rows have not been loaded yet",
  upstream: "Google Sheets does not answer as it should",
  denied: "Google Sheets refuses access to the spreadsheet",
  quota: "the reads of this minute are used up",
  broker: "the process that fetches rows is not there",
};

/** Google answers, so it is not at fault: a column has gone, or a tab. */
const UNEXPECTED = "what Google Sheets gives is not what the service expects";

const MISSING = "the spreadsheet has no such tab or range any more, or it was renamed";

function wordsFor({ reason, cause }: Unavailable): string {
  if (cause === "missing") return MISSING;
  return cause === "malformed" ? UNEXPECTED : REASONS[reason];
}

/** @param table undefined: the list of tables itself. */
export function unavailable(why: Unavailable, table?: string): Problem {
  const { reason, retryAfter: wait } = why;
  const what = table === undefined ? "the list of tables" : `the table ${quoted(table)}`;
  const detail = `${what} can't be read now: ${wordsFor(why)}. The service keeps trying; come back after the time in Retry-After`;
  return problem(503, reason, detail, { headers: retryAfter(wait) });
}

/**
 * Compares the ranges of the tables file with the tabs that the spreadsheet has, and asks whether tables that take writes can be written.
 * Changes nothing, and leaves the broker's files alone.
 */
import { systemClock } from "../base/clock.ts";
import { DroverError } from "../base/errors.ts";
import { ms, seconds } from "../base/units.ts";
import { readServiceAccount } from "../broker/credentials.ts";
import { createGoogle, type Account } from "../broker/google.ts";
import type { Outcome, Upstream } from "../broker/upstream.ts";
import { foldTitle, parseRange, quoted } from "../sheets/a1.ts";
import { ACCOUNTS } from "../sheets/users.ts";
import type { Table } from "../sheets/types.ts";
import type { Plan } from "./plan.ts";

/** Upper bound on the whole comparison. */
const PATIENCE = seconds(10);
/** Ranges of a spreadsheet without a listed tab that are read. The broker's quota reserve covers them. */
const MOST_READ = 8;
/** Of these at once. */
const AT_ONCE = 3;
/** How many tabs an error lists. */
const MOST_LISTED = 30;

type Result =
  | { readonly is: "compared"; readonly wrong: readonly string[]; readonly unchecked: readonly string[]; readonly calls: number }
  | { readonly is: "failed"; readonly message: string };

/** What Google makes of a range whose tab is not among the listed ones. */
type Finding =
  | { readonly is: "there" } // Google folds titles by rules of its own: it found the tab
  | { readonly is: "wrong"; readonly message: string }
  | { readonly is: "unchecked"; readonly reason: string };

/**
 * Lists the tabs of each spreadsheet that has tables: one read call each, and a few more when a tab is missing. One write call if tables
 * take writes.
 * @returns the lines to print: a range that Google gave no answer about is named as not checked.
 * @throws DroverError DROVER_E_TABLES naming each table whose tab is missing, or whose range Google resolves to another tab.
 */
export async function tabLine(plan: Plan, tables: readonly Table[] | undefined, offline: boolean): Promise<string> {
  const skipped = offline ? "--offline" : whySkipped(plan, tables);
  if (skipped !== undefined || tables === undefined || plan.spreadsheetId === undefined) return `tabs: not checked: ${skipped}\n`;
  const google = connect(plan, plan.spreadsheetId);
  try {
    const late = AbortSignal.timeout(PATIENCE);
    const groups = Map.groupBy(tables, ({ spreadsheet = plan.spreadsheetId }) => spreadsheet);
    const written = tables.some(({ append, update }) => append !== "nobody" || update !== "nobody");
    const right = written ? rightLine(google) : "";
    const results = await Promise.all(
      [...groups].map(([id, some]) => compare(id === plan.spreadsheetId ? google : google.of(id ?? ""), some, late)),
    );
    return lineOf(results, plan.tablesFile ?? "") + (await right);
  } finally {
    google.close();
  }
}

function whySkipped(plan: Plan, tables: readonly Table[] | undefined): string | undefined {
  if (plan.demo) return "the demo serves the sample workbook, which is not there before a start";
  if (plan.spreadsheetId === undefined) return "no spreadsheet is configured";
  return tables === undefined ? "no tables file names ranges" : undefined;
}

function connect({ keyFile, sheetsEndpoint, oauthEndpoint, settings }: Plan, spreadsheetId: string): Account {
  const account = keyFile === undefined ? undefined : readServiceAccount(keyFile);
  const timeout = ms(Math.min(settings.upstream_timeout, PATIENCE));
  return createGoogle({ spreadsheetId, account, sheetsEndpoint, oauthEndpoint, timeout, clock: systemClock });
}

/** Removes metadata with a key that nothing has: Google refuses it without the right to write, and else changes nothing. */
const NOTHING = { deleteDeveloperMetadata: { dataFilter: { developerMetadataLookup: { metadataKey: "drover-check" } } } };

async function rightLine(google: Account): Promise<string> {
  const outcome = await google.batchUpdate(Buffer.from(JSON.stringify({ requests: [NOTHING] })), "spreadsheetId");
  // A refused request has passed the look at the caller's rights.
  if (outcome.is === "ok" || outcome.is === "refused") return "writes: the service account may write (1 call to Google)\n";
  return `writes: ${outcome.is === "denied" ? "refused" : "not checked"}: ${outcome.message}\n`;
}

async function compare(upstream: Upstream, tables: readonly Table[], late: AbortSignal): Promise<Result> {
  const tabs = await upstream.tabs();
  if (tabs.is !== "ok") return { is: "failed", message: tabs.message };
  const there = new Set(tabs.value.map(foldTitle));
  const missing = tables.filter(({ range }) => !there.has(foldTitle(parseRange(range)?.tab ?? range)));
  const { findings, rest } = await look(upstream, new Set(missing.map(({ range }) => quoted(range))), late);
  const found = missing.map((table) => ({ table, finding: findings.get(quoted(table.range)) ?? rest }));
  const wrong = found.flatMap(({ table, finding }) =>
    finding.is === "wrong" ? [`${nameOf(table)}: range ${table.range}: ${finding.message} (its tabs: ${listed(tabs.value)})`] : [],
  );
  const reasons = Map.groupBy(found, ({ finding }) => (finding.is === "unchecked" ? finding.reason : undefined));
  const unchecked = [...reasons].flatMap(([reason, some]) =>
    reason === undefined ? [] : [`${some.map(({ table }) => nameOf(table)).join(", ")}: ${reason}`],
  );
  return { is: "compared", wrong, unchecked, calls: 1 + findings.size };
}

const nameOf = ({ name }: Table): string => (name === ACCOUNTS ? '"users"' : `table ${name}`);

const OVER: Finding = { is: "unchecked", reason: `the check reads ${MOST_READ} ranges without a listed tab at most` };

interface Looked {
  /** By range: one call each. */
  readonly findings: ReadonlyMap<string, Finding>;
  /** Of the ranges that were not asked about. */
  readonly rest: Finding;
}

/** Reads the ranges one by one, a few at once. After a call that failed it makes no more: the others get the same reason. */
async function look(upstream: Upstream, ranges: ReadonlySet<string>, late: AbortSignal): Promise<Looked> {
  const findings = new Map<string, Finding>();
  const asked = [...ranges].slice(0, MOST_READ);
  for (let i = 0; i < asked.length; i += AT_ONCE) {
    const some = asked.slice(i, i + AT_ONCE);
    const read = await Promise.all(some.map(async (range) => findingOf(await upstream.read([range], late))));
    for (const [at, range] of some.entries()) findings.set(range, read[at] ?? OVER);
    const failed = read.find(({ is }) => is === "unchecked");
    if (failed !== undefined) return { findings, rest: failed };
  }
  return { findings, rest: OVER };
}

function findingOf(outcome: Outcome<unknown>): Finding {
  if (outcome.is === "ok") return { is: "there" };
  return outcome.is === "noRange" ? { is: "wrong", message: outcome.message } : { is: "unchecked", reason: outcome.message };
}

const listed = (titles: readonly string[]): string => {
  const more = titles.length > MOST_LISTED ? `, and ${titles.length - MOST_LISTED} more` : "";
  return `${titles
    .slice(0, MOST_LISTED)
    .map((title) => JSON.stringify(title))
    .join(", ")}${more}`;
};

function lineOf(results: readonly Result[], file: string): string {
  const wrong = results.flatMap((result) => (result.is === "compared" ? result.wrong : []));
  const reasons = results.flatMap((result) => (result.is === "failed" ? [result.message] : result.unchecked));
  const unchecked = [...new Set(reasons)].map((reason) => `tabs: not checked: ${reason}\n`).join("");
  if (wrong.length > 0)
    throw new DroverError(
      "DROVER_E_TABLES",
      `${wrong.join("\n")}\n${unchecked}Correct the range in ${file}, or rename the tab in the spreadsheet`,
    );
  if (unchecked !== "") return unchecked;
  const calls = results.reduce((sum, result) => sum + (result.is === "compared" ? result.calls : 0), 0);
  return `tabs: every table's tab is there (${calls} call${calls === 1 ? "" : "s"} to Google)\n`;
}

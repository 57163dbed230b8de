/** Compares the ranges of the tables file with the tabs that the spreadsheet has. Writes nothing, and leaves the broker's files alone. */
import { systemClock } from "../base/clock.ts";
import { DroverError } from "../base/errors.ts";
import { ms, seconds } from "../base/units.ts";
import { readServiceAccount } from "../broker/credentials.ts";
import { createGoogle, type Account } from "../broker/google.ts";
import type { Upstream } from "../broker/upstream.ts";
import { foldTitle, parseRange, quoted } from "../sheets/a1.ts";
import { ACCOUNTS } from "../sheets/users.ts";
import type { Table } from "../sheets/types.ts";
import type { Plan } from "./plan.ts";

/** Upper bound on the whole comparison. */
const PATIENCE = seconds(10);
/** How many ranges without a tab are read, to report what Google takes them for. The broker's quota reserve covers the calls. */
const MOST_READ = 3;
/** How many tabs an error lists. */
const MOST_LISTED = 30;

type Result =
  | { readonly is: "compared"; readonly wrong: readonly string[]; readonly calls: number }
  | { readonly is: "failed"; readonly message: string };

/**
 * Lists the tabs of each spreadsheet that has tables: one read call each, and a few more when a tab is missing.
 * @returns the line to print.
 * @throws DroverError DROVER_E_TABLES naming each table whose tab is missing, or whose range Google resolves to another tab.
 */
export async function tabLine(plan: Plan, tables: readonly Table[] | undefined, offline: boolean): Promise<string> {
  const skipped = offline ? "--offline" : whySkipped(plan, tables);
  if (skipped !== undefined || tables === undefined || plan.spreadsheetId === undefined) return `tabs: not checked: ${skipped}\n`;
  const google = connect(plan, plan.spreadsheetId);
  try {
    const late = AbortSignal.timeout(PATIENCE);
    const groups = Map.groupBy(tables, ({ spreadsheet = plan.spreadsheetId }) => spreadsheet);
    const results = await Promise.all(
      [...groups].map(([id, some]) => compare(id === plan.spreadsheetId ? google : google.of(id ?? ""), some, late)),
    );
    return lineOf(results, plan.tablesFile ?? "");
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

async function compare(upstream: Upstream, tables: readonly Table[], late: AbortSignal): Promise<Result> {
  const tabs = await upstream.tabs();
  if (tabs.is !== "ok") return { is: "failed", message: tabs.message };
  const there = new Set(tabs.value.map(foldTitle));
  const missing = tables.filter(({ range }) => !there.has(foldTitle(parseRange(range)?.tab ?? range)));
  const read = await Promise.all(missing.slice(0, MOST_READ).map(({ range }) => upstream.read([quoted(range)], late)));
  const wrong = missing.flatMap(({ name, range }, i) => {
    const outcome = read[i];
    if (outcome?.is === "ok") return []; // Google folds titles by rules of its own: it found the tab
    const why = outcome?.is === "noRange" ? outcome.message : "the spreadsheet has no tab of that title";
    return [`${name === ACCOUNTS ? '"users"' : `table ${name}`}: range ${range}: ${why} (its tabs: ${listed(tabs.value)})`];
  });
  return { is: "compared", wrong, calls: 1 + read.length };
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
  if (wrong.length > 0)
    throw new DroverError("DROVER_E_TABLES", `${wrong.join("\n")}\nCorrect the range in ${file}, or rename the tab in the spreadsheet`);
  const failed = results.find((result) => result.is === "failed");
  if (failed !== undefined) return `tabs: not checked: ${failed.message}\n`;
  const calls = results.reduce((sum, result) => sum + (result.is === "compared" ? result.calls : 0), 0);
  return `tabs: every table's tab is there (${calls} call${calls === 1 ? "" : "s"} to Google)\n`;
}

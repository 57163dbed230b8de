/** What the broker says of Google, and of the tables it reads there. */
import type { Clock } from "../base/clock.ts";
import type { SpreadsheetReport, TableReport, UpstreamReport } from "../base/upstreamreport.ts";
import { between, later, type Instant, type Timestamp } from "../base/units.ts";
import { causeOf, type Table } from "../sheets/types.ts";
import { ACCOUNTS } from "../sheets/users.ts";
import type { Calls } from "./calls.ts";
import type { Ledger } from "./quota.ts";
import type { Refreshers } from "./refreshers.ts";
import type { Snapshots } from "./snapshots.ts";

export interface Reported {
  readonly clock: Clock;
  readonly spreadsheetId: string;
  readonly tables: readonly Table[];
  /** Tabs that are no tables because there are too many. */
  readonly unlisted: number;
  readonly calls: Calls;
  readonly quota: Ledger;
  readonly refreshers: Refreshers;
  readonly snapshots: Snapshots;
  /** How much of its limits a table has, in percent. */
  readonly fill: (table: string) => number | undefined;
}

/** All but the writes. */
export function upstreamReport(of: Reported): UpstreamReport {
  const { calls, quota, refreshers, spreadsheetId } = of;
  const spreadsheets = reportSpreadsheets(of);
  const ids = new Set([spreadsheetId, ...spreadsheets.map(({ id }) => id)]);
  const pace = { ...refreshers.stretch(), others: quota.others() };
  const rest = of.unlisted === 0 ? {} : { unlisted: of.unlisted };
  return { ...calls.state(ids), quota: quota.report(), tables: reportTables(of), ...rest, pace, spreadsheets };
}

function reportSpreadsheets({ clock, calls, refreshers }: Reported): readonly SpreadsheetReport[] {
  const wall = (at: Instant): Timestamp => later(clock.wall(), between(clock.now(), at));
  return refreshers.report().map(({ id, state, failures, notBefore }) => {
    const { message } = calls.state([id]);
    return { id, breaker: state, failures, retryAt: state === "open" ? wall(notBefore) : (0 as Timestamp), message };
  });
}

function reportTables({ tables, snapshots, refreshers, fill }: Reported): readonly TableReport[] {
  const failures = new Map(refreshers.failures().map((why) => [why.table, why]));
  return tables.flatMap((table): readonly TableReport[] => {
    const { name, ttl } = table;
    const [held, why] = [snapshots.get(name), failures.get(name)];
    if (held === undefined && why === undefined) return [];
    const { version, checkedAt, warnings, hidden } = held?.head ?? { version: 0, checkedAt: 0 as Timestamp };
    const rows = held?.rows ?? 0;
    if (name === ACCOUNTS && why === undefined && warnings === undefined) return []; // named by nobody, and nothing to mend
    const filled = fill(name);
    const size = { rows, ...(filled === undefined ? {} : { fill: filled }), ...(hidden === undefined ? {} : { hidden }) };
    const report = { name, ...size, version, checkedAt, warnings: warnings ?? 0, ttl, stretchedTo: refreshers.ttlOf(table) };
    return [why === undefined ? report : { ...report, failure: why.message, cause: causeOf(why) }];
  });
}

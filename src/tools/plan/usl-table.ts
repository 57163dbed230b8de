/** `drover plan --usl FILE`: the scalability law fitted to a table of users, requests a second and latency. */
import { columns } from "../../base/columns.ts";
import { DroverError } from "../../base/errors.ts";
import { exact, millis, num } from "./print/units.ts";
import { ENOUGH, fit, refusal, type Fit, type Point } from "./model/usl.ts";

export interface TableRow extends Point {
  /** Mean, in ms. */
  readonly latency: number;
}

/** A row with the pause between an answer and the next request that Little's law implies: N / X − R, in ms. */
export interface JudgedRow extends TableRow {
  readonly pause: number;
  /** Why the row is left out; undefined: it is used. */
  readonly flaw: string | undefined;
}

const COLUMNS = ["users", "requests_per_second", "latency_ms"];
const MOST_ROWS = 1_000;
/** Part by which a row may miss Little's law, as in a load run. */
const LITTLE = 0.25;

/** CSV with a header; lines that begin with `#` are comments. @throws DroverError DROVER_E_USAGE naming the line. */
export function readTable(text: string, file: string): TableRow[] {
  const fail = (line: number, why: string): never => {
    throw new DroverError("DROVER_E_USAGE", `--usl ${file}, line ${line}: ${why}`);
  };
  const lines = text.split(/\r?\n/).map((line, i) => ({
    nr: i + 1,
    cells: line.split(",").map((cell) => cell.trim()),
    line: line.trim(),
  }));
  const [head, ...rows] = lines.filter(({ line }) => line !== "" && !line.startsWith("#"));
  if (head?.cells.join() !== COLUMNS.join())
    fail(head?.nr ?? 1, `expected the header ${COLUMNS.join()}`);
  if (rows.length > MOST_ROWS) fail(rows[MOST_ROWS]?.nr ?? 0, `expected at most ${MOST_ROWS} rows`);
  return rows.map(({ nr, cells, line }) => {
    const [users = 0, rate = 0, latency = 0] = cells.map((cell) =>
      /^\d{1,12}(?:\.\d{1,6})?$/.test(cell) ? Number(cell) : 0,
    );
    if (cells.length !== COLUMNS.length || !(users >= 1 && rate > 0 && latency > 0))
      fail(nr, `${line.slice(0, 80)} (expected three numbers above 0, such as 500,10681,35)`);
    return { users, rate, latency };
  });
}

/**
 * Users of one test pause alike. A load generator that is late adds to the pause at a higher load, never at a lower one: a row whose
 * implied pause is longer than that of every row with more users contradicts them, and so does a negative pause.
 */
export function judgedRows(rows: readonly TableRow[]): JudgedRow[] {
  const paused = rows.map((row) => ({
    ...row,
    pause: (row.users * 1_000) / row.rate - row.latency,
  }));
  return paused.map((row) => {
    const { users, rate, latency, pause } = row;
    const most = (users * 1_000) / latency;
    if (rate > most * (1 + LITTLE))
      return {
        ...row,
        flaw: `${num(users)} users with answers after ${millis(latency)} make at most ${num(most)} requests/s`,
      };
    const longest = Math.max(
      ...paused.filter((other) => other.users > users).map((other) => Math.max(0, other.pause)),
    );
    const least = (users * 1_000) / (latency + longest);
    if (Number.isFinite(longest) && rate < least * (1 - LITTLE))
      return {
        ...row,
        flaw: `it implies a pause of ${millis(pause)}, rows with more users one of at most ${millis(longest)}: at least ${num(least)} requests/s`,
      };
    return { ...row, flaw: undefined };
  });
}

/** @returns undefined with fewer than three numbers of users among the rows that are used. */
export const fitRows = (rows: readonly JudgedRow[]): Fit | undefined =>
  fit(rows.filter(({ flaw }) => flaw === undefined));

/** Rounded to `digits` significant digits: a fit of few points is not more exact. */
const about = (value: number, digits: number): string => num(Number(value.toPrecision(digits)));

export function renderUsl(rows: readonly JudgedRow[], made: Fit): string {
  const table = columns([
    ["USERS", "REQUESTS/S", "LATENCY", "PAUSE", ""],
    ...rows.map(({ users, rate, latency, pause, flaw }) => [
      num(users),
      num(rate),
      millis(latency),
      millis(Math.max(0, pause)),
      flaw === undefined ? "" : `left out, it contradicts Little's law: ${flaw}`,
    ]),
  ]);
  const { lambda, sigma, kappa, levels, peakUsers, peakRate } = made;
  const few = `${levels} points, 3 parameters; proof takes ${ENOUGH} points`;
  const mark = levels < ENOUGH ? `illustration: ${few}` : (refusal(made) ?? `${levels} points`);
  const peak = Number.isFinite(peakUsers)
    ? `N* ≈ ${about(peakUsers, 2)} users, ≈ ${about(peakRate, 4)} requests/s`
    : "none: throughput rises over all rows";
  return `${table}\nlaw   λ = ${exact(lambda)} requests/s, σ = ${exact(sigma)}, κ = ${kappa.toExponential(1)}\npeak  ${peak}\nnote  ${mark}\n`;
}

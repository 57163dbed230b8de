/** The users' rows → who may log in by what. Of secrets only what `keep` leaves of them goes on from here. */
import { letters, origin } from "./a1.ts";
import { layoutOf } from "./layout.ts";
import type { Reading } from "./rows.ts";
import { foldName, keep, type SecretKey } from "./secrets.ts";
import type { Cell } from "./snapshot.ts";
import type { AccountColumns, Table } from "./types.ts";

const MOST_WARNINGS = 20;
const MOST_ROLE = 64;
type Raw = string | number | boolean | null;
const isRaw = (v: unknown): v is Raw => v === null || ["string", "number", "boolean"].includes(typeof v);
const textOf = (cell: Raw | undefined): string => (cell === null || cell === undefined ? "" : String(cell).trim());

/** An account as it is read: undefined in place of a name that two rows have. */
type Accounts = Map<string, { readonly row: Cell[]; readonly place: number } | undefined>;

/**
 * Reads the values of the users' range.
 * @returns rows of name, verifier and role. Names that two rows share are left out: whose secret counts can't be told.
 */
export function readAccounts(values: unknown, table: Table, key: SecretKey): Reading {
  const { accounts: columns } = table;
  if (values === undefined || values === null || (Array.isArray(values) && values.length === 0))
    return { is: "malformed", why: `the range ${table.range} is empty: it has no header row with the columns that "users" names` };
  if (!Array.isArray(values) || !values.every((row) => Array.isArray(row) && row.every(isRaw)))
    return { is: "malformed", why: `the values of ${table.range} are not rows of cells` };
  if (columns === undefined) return { is: "malformed", why: `${table.range} holds no users` };
  const grid: readonly (readonly Raw[])[] = values;
  const header = (grid[0] ?? []).map((cell) => textOf(cell).normalize("NFC"));
  const missing = [columns.name, columns.secret, columns.role].find((name) => name !== undefined && !header.includes(name));
  if (missing !== undefined)
    return { is: "malformed", why: `the header row of ${table.range} has no column ${JSON.stringify(missing)}, which "users" names` };
  const { accounts, findings } = read(grid, header, { columns, table, key });
  const known = [...accounts.values()].filter((account) => account !== undefined);
  const content = {
    columns: ["name", "verifier", "role"].map((name) => ({ name, type: "string" as const })),
    key: 0,
    rows: known.map(({ row }) => row),
  };
  const layout = layoutOf(table, [columns.name], columns.name);
  return { is: "ok", content, layout, places: known.map(({ place }) => place), findings: { ...findings, rows: known.length } };
}

interface Cut {
  readonly columns: AccountColumns;
  readonly table: Table;
  readonly key: SecretKey;
}

function read(
  grid: readonly (readonly Raw[])[],
  header: readonly string[],
  { columns, table, key }: Cut,
): { readonly accounts: Accounts; readonly findings: Extract<Reading, { is: "ok" }>["findings"] } {
  const at = (name: string | undefined): number => (name === undefined ? -1 : header.indexOf(name));
  const [name, secret, role, deleted] = [at(columns.name), at(columns.secret), at(columns.role), at(table.deleted)];
  const from = origin(table.range);
  const warnings: string[] = [];
  const warn = (row: number, column: number, text: string): void => {
    if (warnings.length < MOST_WARNINGS) warnings.push(`${from.tab}!${letters(from.column + column)}${from.row + row + 1} ${text}`);
  };
  const accounts: Accounts = new Map();
  let [duplicateKeys, misfits] = [0, 0];
  for (const [nr, raw] of grid.entries()) {
    const user = textOf(raw[name]).normalize("NFC");
    if (nr === 0 || user === "" || /^true$/i.test(textOf(raw[deleted]))) continue;
    const given = textOf(raw[secret]);
    const kept = given === "" ? undefined : keep(given, key);
    if (kept !== undefined && (kept.is === "unusable" || kept.plain)) {
      misfits += 1;
      warn(nr, secret, kept.is === "unusable" ? UNUSABLE : PLAIN);
    }
    const folded = foldName(user);
    if (accounts.has(folded)) {
      duplicateKeys += 1;
      warn(nr, name, "is a name that stands further up already: neither of the two can log in");
      accounts.set(folded, undefined);
    } else accounts.set(folded, { row: [user, kept?.is === "kept" ? kept.verifier : null, roleOf(raw[role])], place: nr });
  }
  return { accounts, findings: { rows: 0, withoutKey: 0, duplicateKeys, misfits, hidden: [], warnings } };
}

/** Longer than any role of a tables file, it is none: it would not fit into a cookie. */
function roleOf(cell: Raw | undefined): string | null {
  const role = textOf(cell);
  return role === "" || role.length > MOST_ROLE ? null : role;
}

const PLAIN = "holds a password as it is: replace it by what `drover hash` makes of it";
const UNUSABLE = "holds a hash that drover does not know: nobody can log in by it";

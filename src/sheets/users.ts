/** Which table of the spreadsheet holds the users: the tables file's "users". */
import type { Problems } from "./problems.ts";
import type { Column, Table } from "./types.ts";
import { namesSecret } from "./words.ts";

/** The table that logins look at. No table of the file can be called so: nothing that a client may name leads there. */
export const ACCOUNTS = "~users";

const KEYS = ["table", "name", "secret", "role"] as const;

/**
 * Reads `{"table": "players", "name": "name", "secret": "code", "role": "role"}`.
 * @param tables those of the file. @returns the table of accounts, cut from the same range; undefined when something is wrong with it.
 */
export function parseUsers(value: unknown, tables: readonly Table[], problems: Problems): Table | undefined {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    problems.add("/users", value, 'an object such as {"table": "players", "name": "name", "secret": "code"}');
    return undefined;
  }
  const fields = value as Readonly<Record<string, unknown>>;
  for (const key of Object.keys(fields)) if (!KEYS.some((known) => known === key)) problems.unknown("/users", key, KEYS);
  const text = (key: (typeof KEYS)[number], expected: string): string | undefined => {
    const given = fields[key];
    if (typeof given === "string" && given.trim() !== "" && given.length <= 500) return given.trim().normalize("NFC");
    problems.add(`/users/${key}`, given, expected);
    return undefined;
  };
  const named = text("table", "the name of one of the tables");
  const table = tables.find(({ name }) => name === named);
  if (named !== undefined && table === undefined) problems.add("/users/table", named, "the name of one of the tables");
  const name = text("name", "the column that holds the names that people log in with");
  const secret = text("secret", "the hidden column that holds codes, or what drover hash makes of passwords");
  const role = Object.hasOwn(fields, "role") ? text("role", "the column that holds roles") : undefined;
  if (table === undefined || name === undefined || secret === undefined) return undefined;
  if (new Set([name, secret, role]).size < 3) problems.add("/users", [name, secret, role], "different columns");
  if (isShown(table, secret))
    problems.add("/users/secret", secret, `a hidden column: give it {"hidden": true} in the columns of "${table.name}"`);
  const { range, ttl, key, deleted } = table;
  const columns: readonly Column[] = [{ name, type: "auto", hidden: false }];
  const audiences = { read: "nobody", append: "nobody", update: "nobody" } as const;
  const rest = { ...(deleted === undefined ? {} : { deleted }), accounts: { name, secret, role } };
  return { name: ACCOUNTS, range, key, ttl, columns, ...audiences, ...rest };
}

/** A secret must not be served with the rows: its column has to be said to be hidden, or be called like a secret. */
function isShown({ columns, hidden }: Table, secret: string): boolean {
  const said = columns.find((column) => column.name === secret);
  return said === undefined ? !(hidden?.includes(secret) ?? namesSecret(secret)) : !said.hidden;
}

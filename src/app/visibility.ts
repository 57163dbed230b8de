/** Who may do what with a table. There is no login yet, so every client is a stranger. */
import type { TableInfo } from "../sheets/types.ts";
import { problem, type Problem } from "./problem.ts";
import { quoted } from "./query/model.ts";

export type Right = "read" | "append" | "update";

/** The methods of a table's two kinds of path, and the right that each needs. */
const METHODS = {
  rows: { GET: "read", HEAD: "read", POST: "append" },
  row: { DELETE: "update", GET: "read", HEAD: "read", PATCH: "update" },
} as const satisfies Record<string, Readonly<Record<string, Right>>>;
export type TablePath = keyof typeof METHODS;

const RIGHTS = ["read", "append", "update"] as const satisfies readonly Right[];

/** True for tables whose rows anyone may see: those that lists and the page speak of. */
export function isPublic(info: TableInfo): boolean {
  return may(info, "read");
}

/** Whether strangers have this right. */
export function may(info: TableInfo, right: Right): boolean {
  return info[right] === "public";
}

/** True for tables that anyone may do anything with. */
export function isOpen(info: TableInfo): boolean {
  return RIGHTS.some((right) => may(info, right));
}

/** Whether strangers may hear that there is such a table: somebody has some right to it. */
const isKnown = (info: TableInfo): boolean => RIGHTS.some((right) => info[right] !== "nobody");

/** The same answer whether a table does not exist or is nobody's: its name is not confirmed. */
export function unknownTable(name: string): Problem {
  return problem(404, "unknown-table", `there is no table ${quoted(name)}: the tables are listed at /api/openapi.json`);
}

/** @returns the methods that a table's path has, sorted. @param info undefined: there is no such table, or none that is spoken of. */
export function methodsOf(info: TableInfo | undefined, path: TablePath): readonly string[] {
  const audiences: Pick<TableInfo, Right> =
    info !== undefined && isKnown(info) ? info : { read: "public", append: "nobody", update: "nobody" };
  const methods = Object.entries(METHODS[path]).filter(([, right]) => audiences[right] !== "nobody");
  return [...methods.map(([method]) => method), "OPTIONS"].sort();
}

/** @returns why this stranger may not do that, or undefined when anyone may. */
export function refusal(info: TableInfo, right: Right = "read", path: TablePath = "rows"): Problem | undefined {
  if (may(info, right)) return undefined;
  if (!isKnown(info)) return unknownTable(info.name);
  if (info[right] === "nobody") {
    const headers = { Allow: methodsOf(info, path).join(", ") };
    return problem(405, "method", `${DEEDS[right]} the table ${quoted(info.name)} is open to nobody: expected ${headers.Allow}`, {
      headers,
    });
  }
  // RFC 9110 §11.6.1: a 401 names a scheme. One that no browser knows opens no password dialog.
  const headers = { "WWW-Authenticate": 'Drover realm="tables"' };
  const detail = `${DEEDS[right]} the table ${quoted(info.name)} is not public: it is for those who are signed in`;
  return problem(401, "not-public", detail, { headers });
}

const DEEDS: { readonly [R in Right]: string } = { read: "reading", append: "adding rows to", update: "changing rows of" };

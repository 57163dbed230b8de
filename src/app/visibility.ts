/** Who may read a table. There is no login yet, so every client is a stranger. */
import type { TableInfo } from "../sheets/types.ts";
import { problem, type Problem } from "./problem.ts";
import { quoted } from "./query/model.ts";

/** True for tables that anyone may read: those that lists, OpenAPI and the page speak of. */
export function isPublic(info: TableInfo): boolean {
  return info.read === "public";
}

/** The same answer whether a table does not exist or is nobody's: its name is not confirmed. */
export function unknownTable(name: string): Problem {
  return problem(404, "unknown-table", `there is no table ${quoted(name)}: the tables are listed at /api/openapi.json`);
}

/** @returns why this stranger may not read the table, or undefined when anyone may. */
export function refusal(info: TableInfo): Problem | undefined {
  if (isPublic(info)) return undefined;
  if (info.read === "nobody") return unknownTable(info.name);
  // RFC 9110 §11.6.1: a 401 names a scheme. One that no browser knows opens no password dialog.
  const headers = { "WWW-Authenticate": 'Drover realm="tables"' };
  return problem(401, "not-public", `the table ${quoted(info.name)} is not public: it can be read only by those who are signed in`, {
    headers,
  });
}

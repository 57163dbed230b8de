/** Who may do what with a table. */
import type { TableInfo } from "../sheets/types.ts";
import { problem, type Problem } from "./problem.ts";
import { quoted } from "./query/model.ts";
import { SCHEME } from "./refusals/login.ts";
import { STRANGER, type Member, type Who } from "./session/who.ts";

export type Right = "read" | "append" | "update";

/** The methods of a table's two kinds of path, and the right that each needs. */
const METHODS = {
  rows: { GET: "read", HEAD: "read", POST: "append" },
  row: { DELETE: "update", GET: "read", HEAD: "read", PATCH: "update" },
} as const satisfies Record<string, Readonly<Record<string, Right>>>;
export type TablePath = keyof typeof METHODS;

export const RIGHTS = ["read", "append", "update"] as const satisfies readonly Right[];

/** True for tables whose rows anyone may see: those that lists and the page speak of. */
export function isPublic(info: TableInfo): boolean {
  return may(info, "read");
}

/** Whether somebody has this right, though perhaps only to their own rows (see `ownerFor`). Without `who`: a stranger. */
export function may(info: TableInfo, right: Right, who: Who = STRANGER): boolean {
  const audience = info[right];
  if (audience === "public") return true;
  if (audience === "nobody" || who.is === "stranger") return false;
  if (who.admin || audience === "signed-in") return true;
  return audience === "own rows" ? info.owner !== undefined : audience.role === who.role;
}

/** @returns the user whose rows the right ends with; undefined: it goes for all rows. Only of rights that `may` grants. */
export function ownerFor(info: TableInfo, right: Right, who: Who): string | undefined {
  return info[right] === "own rows" && who.is === "in" && !who.admin ? who.user : undefined;
}

/**
 * Whose answers an answer may be given to, besides the one who asked: a name for everybody who would get the very same.
 * @returns undefined: everybody's.
 */
export function audienceOf(info: TableInfo, who: Who): string | undefined {
  const { read } = info;
  if (read === "public" || who.is === "stranger") return undefined;
  if (who.admin) return "admin";
  if (read === "signed-in" || read === "nobody") return "in";
  return read === "own rows" ? `user ${who.user}` : `role ${read.role}`;
}

/** Whether an audience is a single user. */
export const isOneUsers = (audience: string): boolean => audience.startsWith("user ");

/** @returns the audiences that somebody belongs to, the likeliest first. */
export function audiencesOf({ user, role, admin }: Member): readonly string[] {
  return admin ? ["admin"] : ["in", `user ${user}`, ...(role === undefined ? [] : [`role ${role}`])];
}

/** True for tables that anyone may do anything with. */
export function isOpen(info: TableInfo): boolean {
  return RIGHTS.some((right) => may(info, right));
}

/** Whether strangers may hear that there is such a table: somebody has some right to it. */
const isKnown = (info: TableInfo): boolean => RIGHTS.some((right) => info[right] !== "nobody");

/** The same answer whether a table does not exist or is nobody's: its name is not confirmed. */
export function unknownTable(name: string): Problem {
  return problem(404, "unknown-table", `there is no table ${quoted(name)}: the tables are listed at /api/tables`);
}

/** @returns the methods that a table's path has, sorted. @param info undefined: there is no such table, or none that is spoken of. */
export function methodsOf(info: TableInfo | undefined, path: TablePath): readonly string[] {
  const audiences: Pick<TableInfo, Right> =
    info !== undefined && isKnown(info) ? info : { read: "public", append: "nobody", update: "nobody" };
  const methods = Object.entries(METHODS[path]).filter(([, right]) => audiences[right] !== "nobody");
  return [...methods.map(([method]) => method), "OPTIONS"].sort();
}

/** Whether it depends on who asks what is answered: only then the cookie is looked at. */
export function isPersonal(info: TableInfo, right: Right): boolean {
  return info[right] !== "public" && info[right] !== "nobody";
}

/** @returns why somebody may not do that, or undefined when they may. */
export function refusal(info: TableInfo, right: Right = "read", path: TablePath = "rows", who: Who = STRANGER): Problem | undefined {
  if (may(info, right, who)) return undefined;
  if (!isKnown(info)) return unknownTable(info.name);
  if (info[right] === "nobody") {
    const headers = { Allow: methodsOf(info, path).join(", ") };
    return problem(405, "method", `${DEEDS[right]} the table ${quoted(info.name)} is open to nobody: expected ${headers.Allow}`, {
      headers,
    });
  }
  const what = `${DEEDS[right]} the table ${quoted(info.name)}`;
  if (who.is === "in") return problem(403, "role", `${what} is not for you`);
  return problem(401, "not-public", `${what} is not public: it is for those who are signed in`, { headers: SCHEME });
}

const DEEDS: { readonly [R in Right]: string } = { read: "reading", append: "adding rows to", update: "changing rows of" };

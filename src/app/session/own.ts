/** Whose a row is. */
import type { Row } from "../../sheets/snapshot.ts";
import type { TableInfo } from "../../sheets/types.ts";
import type { Filter } from "../query/model.ts";

/** @returns the filter that lets only this user's rows through; undefined: all may pass. */
export function ownFilter({ owner: column }: TableInfo, user: string | undefined): Filter | undefined {
  if (user === undefined) return undefined;
  if (column === undefined) throw new Error("rows of a table without an owner's column are nobody's own");
  const number = String(Number(user)) === user ? Number(user) : undefined;
  return { column, operator: "eq", wanted: [{ text: user, number, boolean: undefined }] };
}

/** Whether a row is a user's: its cell holds the very name. */
export function owns(row: Row | undefined, { owner }: TableInfo, user: string): boolean {
  const cell = owner === undefined ? undefined : row?.[owner];
  return (typeof cell === "string" || typeof cell === "number") && String(cell) === user;
}

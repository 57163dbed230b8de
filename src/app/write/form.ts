/** A row from a page's own form (`application/x-www-form-urlencoded`). */
import type { IncomingMessage } from "node:http";
import { readCell } from "../../sheets/cell.ts";
import type { Values } from "../../sheets/writes.ts";
import { badParameter, type Problem } from "../problem.ts";
import { splitPairs } from "../query/parse.ts";
import type { QueryColumn } from "../query/model.ts";
import { foreignOrigin } from "../session/origin.ts";

export const isForm = ({ headers }: IncomingMessage): boolean =>
  /^application\/x-www-form-urlencoded\s*(?:;|$)/i.test(headers["content-type"] ?? "");

/** Whether the browser says that the form stands on a page of this site. Stricter than `foreignOrigin`: saying nothing is not enough. */
export const isOwnForm = (request: IncomingMessage): boolean =>
  isForm(request) &&
  foreignOrigin(request) === undefined &&
  (request.headers["sec-fetch-site"] ?? (request.headers.origin || undefined)) !== undefined;

/**
 * Reads a form's fields as one row. Empty fields are left out; a field is read as its column's type, and stays text if it does not fit.
 * @param columns undefined: they are not known, and every field is text.
 */
export function readForm(body: Uint8Array | undefined, columns: readonly QueryColumn[] | undefined): { readonly values: Values } | Problem {
  const pairs = splitPairs(Buffer.from(body ?? []).toString());
  if (!pairs.ok) return badParameter(pairs.bad);
  const types = new Map(columns?.map(({ name, type }) => [name, type]));
  const cells = [...pairs.value].flatMap(([name, text]) => {
    if (text.trim() === "") return [];
    const type = types.get(name) ?? "auto";
    const said = type === "boolean" && text === "on" ? "true" : text; // what a ticked checkbox sends
    return [[name, readCell(said, type) ?? text] as const];
  });
  return { values: Object.fromEntries(cells) };
}

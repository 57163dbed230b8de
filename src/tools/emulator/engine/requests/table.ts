/** Every kind of request that batchUpdate carries out, by name. Any other is refused by name, never ignored. */
import { invalid, within } from "../errors.ts";
import { isObject, type Json, type JsonObject } from "../json.ts";
import { CELL_HANDLERS } from "./cells.ts";
import { CUT_HANDLERS } from "./cut.ts";
import { DIMENSION_HANDLERS } from "./dimensions.ts";
import { METADATA_HANDLERS } from "./metadata.ts";
import type { Context, Handler } from "./request.ts";
import { SHEET_HANDLERS } from "./sheets.ts";
import { SORT_HANDLERS } from "./sort.ts";

export const HANDLERS: ReadonlyMap<string, Handler> = new Map(
  [
    SHEET_HANDLERS,
    CELL_HANDLERS,
    DIMENSION_HANDLERS,
    SORT_HANDLERS,
    CUT_HANDLERS,
    METADATA_HANDLERS,
  ].flatMap((handlers) => Object.entries(handlers)),
);

/** Carries out requests in order. @returns one reply for each; the caller undoes what was done when one is refused */
export function runRequests(context: Context, requests: readonly JsonObject[]): Json[] {
  return requests.map((request, i) => {
    const kinds = Object.keys(request).filter(
      (kind) => request[kind] !== null && request[kind] !== undefined,
    );
    const [kind] = kinds;
    if (kind === undefined) throw invalid(`Invalid requests[${i}]: No request set.`);
    if (kinds.length > 1)
      throw invalid(
        `Invalid requests[${i}]: ${kinds.join(" and ")} can't be in one request: each takes one kind.`,
      );
    return within(`Invalid requests[${i}].${kind}`, () => run(context, kind, request[kind]));
  });
}

function run(context: Context, kind: string, message: Json | undefined): JsonObject {
  const handler = HANDLERS.get(kind);
  if (handler === undefined)
    throw invalid("this kind of request is not supported by this emulator.");
  const reply = handler(context, isObject(message) ? message : {});
  return reply === undefined ? {} : { [kind]: reply };
}

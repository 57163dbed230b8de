/** Named ranges. */
import { parseArea } from "../a1.ts";
import type { Book } from "../book.ts";
import { invalid } from "../errors.ts";
import { below, parseUpdateMask, update } from "../fieldmask.ts";
import { smallId } from "../ids.ts";
import { type JsonObject, objectAt, optionalObject, present, stringAt, textAt } from "../json.ts";
import { gridTarget, shownRange } from "../ranges.ts";
import type { Handlers } from "./request.ts";

/** https://support.google.com/docs/answer/63175: letters, digits and _; no digit first; neither a cell nor TRUE or FALSE. */
function checkName(book: Book, name: string, own?: string): void {
  const plain = /^[\p{L}_][\p{L}\p{N}_.]{0,249}$/u.test(name) && parseArea(name) === undefined && !/^(true|false)$/i.test(name);
  if (!plain) throw invalid(`Cannot add named range with name ${name}, the name is invalid.`);
  const other = book.state.namedRanges.find((n) => textAt(n, "name").toLowerCase() === name.toLowerCase());
  if (other !== undefined && other["namedRangeId"] !== own)
    throw invalid(`Cannot add named range with name ${name}, a named range with that name already exists.`);
}

function shown(book: Book, named: JsonObject): JsonObject {
  const range = optionalObject(named, "range");
  if (range === undefined) throw invalid("Must specify range.");
  const target = gridTarget(book, range);
  return { namedRangeId: named["namedRangeId"], name: named["name"], range: shownRange(target.sheet.state.id, target.area) };
}

function find(book: Book, id: string | undefined): JsonObject {
  const found = book.state.namedRanges.find((n) => n["namedRangeId"] === id);
  if (found === undefined) throw invalid(`No named range with id: ${id ?? ""}`);
  return found;
}

const replace = (book: Book, old: JsonObject, next: readonly JsonObject[]): void => {
  book.state = { ...book.state, namedRanges: book.state.namedRanges.flatMap((n) => (n === old ? next : [n])) };
};

export const NAMED_RANGE_HANDLERS: Handlers = {
  addNamedRange({ book, ids }, request) {
    const sent = objectAt(request, "namedRange");
    checkName(book, stringAt(sent, "name") ?? "");
    const taken = (id: string): boolean => book.state.namedRanges.some((n) => n["namedRangeId"] === id);
    const wanted = stringAt(sent, "namedRangeId");
    if (wanted !== undefined && taken(wanted))
      throw invalid(`Cannot add named range with ID ${wanted}, a named range with that ID already exists.`);
    const namedRangeId = wanted ?? String(smallId(ids, (n) => taken(String(n))));
    const namedRange = shown(book, { ...sent, namedRangeId });
    book.state = { ...book.state, namedRanges: [...book.state.namedRanges, namedRange] };
    return { namedRange };
  },

  updateNamedRange({ book }, request) {
    const sent = present(objectAt(request, "namedRange"));
    const mask = parseUpdateMask(stringAt(request, "fields"), "NamedRange");
    const old = find(book, stringAt(sent, "namedRangeId"));
    const next = { ...update(old, sent, mask), namedRangeId: old["namedRangeId"] };
    if (below(mask, "name") !== undefined) checkName(book, stringAt(next, "name") ?? "", stringAt(old, "namedRangeId"));
    replace(book, old, [shown(book, next)]);
    return undefined;
  },

  deleteNamedRange({ book }, request) {
    replace(book, find(book, stringAt(request, "namedRangeId")), []);
    return undefined;
  },
};

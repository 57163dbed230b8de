/** Protected ranges. Everyone who reaches an emulator may edit: a protection is shown, not enforced. */
import type { Book, Sheet } from "../book.ts";
import { invalid } from "../errors.ts";
import { parseUpdateMask, update } from "../fieldmask.ts";
import { smallId } from "../ids.ts";
import { intAt, isTrue, type JsonObject, objectAt, objectsAt, optionalObject, present, stringAt } from "../json.ts";
import { gridTarget, shownRange } from "../ranges.ts";
import { type Handlers, setFeatures } from "./request.ts";

/** Who protects: an emulator has one user. */
const USER = "emulator@drover.invalid";

function find(book: Book, id: number | undefined): { sheet: Sheet; range: JsonObject } {
  for (const sheet of book.sheets) {
    const range = sheet.state.features.protectedRanges.find((r) => r["protectedRangeId"] === id);
    if (range !== undefined) return { sheet, range };
  }
  throw invalid(`No protected range with id: ${id ?? 0}`);
}

function rangeOf(book: Book, sent: JsonObject): { sheet: Sheet; range: JsonObject } {
  const id = stringAt(sent, "namedRangeId");
  const named = id === undefined ? undefined : book.state.namedRanges.find((n) => n["namedRangeId"] === id);
  if (id !== undefined && named === undefined) throw invalid(`No named range with id: ${id}`);
  const range = named === undefined ? optionalObject(sent, "range") : objectAt(named, "range");
  if (range === undefined) throw invalid("Must specify range or namedRangeId.");
  const target = gridTarget(book, range);
  return { sheet: target.sheet, range: shownRange(target.sheet.state.id, target.area) };
}

function shown(book: Book, sent: JsonObject, protectedRangeId: number): { sheet: Sheet; protectedRange: JsonObject } {
  const { sheet, range } = rangeOf(book, sent);
  const [description, named] = [stringAt(sent, "description"), stringAt(sent, "namedRangeId")];
  const unprotected = objectsAt(sent, "unprotectedRanges");
  const editors = present(objectAt(sent, "editors"));
  const protectedRange = {
    protectedRangeId,
    range,
    ...(named === undefined ? {} : { namedRangeId: named }),
    ...(description === undefined || description === "" ? {} : { description }),
    ...(isTrue(sent, "warningOnly") ? { warningOnly: true } : {}),
    requestingUserCanEdit: true,
    ...(unprotected.length === 0 ? {} : { unprotectedRanges: [...unprotected] }),
    editors,
  };
  return { sheet, protectedRange };
}

/** The list of editors always names the one who protects. */
function withOwner(range: JsonObject): JsonObject {
  const editors = objectAt(range, "editors");
  const users = Array.isArray(editors["users"]) ? editors["users"] : [];
  return { ...range, editors: { ...editors, users: users.includes(USER) ? users : [USER, ...users] } };
}

export const PROTECTION_HANDLERS: Handlers = {
  addProtectedRange({ book, ids }, request) {
    const sent = objectAt(request, "protectedRange");
    const taken = (id: number): boolean =>
      book.sheets.some((s) => s.state.features.protectedRanges.some((r) => r["protectedRangeId"] === id));
    const wanted = intAt(sent, "protectedRangeId");
    if (wanted !== undefined && taken(wanted)) throw invalid(`A protected range with the id ${wanted} already exists.`);
    const { sheet, protectedRange } = shown(book, sent, wanted ?? smallId(ids, taken));
    setFeatures(sheet, { protectedRanges: [...sheet.state.features.protectedRanges, withOwner(protectedRange)] });
    return { protectedRange };
  },

  updateProtectedRange({ book }, request) {
    const sent = present(objectAt(request, "protectedRange"));
    const mask = parseUpdateMask(stringAt(request, "fields"), "ProtectedRange");
    const id = intAt(sent, "protectedRangeId");
    const { sheet, range } = find(book, id);
    const next = shown(book, update(range, sent, mask), id ?? 0);
    const without = (s: Sheet): readonly JsonObject[] => s.state.features.protectedRanges.filter((r) => r !== range);
    if (next.sheet !== sheet) setFeatures(sheet, { protectedRanges: without(sheet) });
    setFeatures(next.sheet, { protectedRanges: [...without(next.sheet), withOwner(next.protectedRange)] });
    return undefined;
  },

  deleteProtectedRange({ book }, request) {
    const { sheet, range } = find(book, intAt(request, "protectedRangeId"));
    setFeatures(sheet, { protectedRanges: sheet.state.features.protectedRanges.filter((r) => r !== range) });
    return undefined;
  },
};

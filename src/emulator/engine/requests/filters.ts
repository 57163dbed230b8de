/**
 * The basic filter of a sheet, and filter views. Setting a basic filter sorts its rows by its
 * specs, as with Google; no rows are hidden by criteria.
 */
import type { Book, Sheet } from "../book.ts";
import { invalid } from "../errors.ts";
import { type Mask, parseUpdateMask, update } from "../fieldmask.ts";
import { smallId } from "../ids.ts";
import { intAt, isObject, type JsonObject, objectAt, objectsAt, optionalObject, present, stringAt, textAt } from "../json.ts";
import { clip, gridRange, gridTarget, rectOf } from "../ranges.ts";
import { gridWith, type Handlers, setFeatures } from "./request.ts";
import { sortRows } from "./sort.ts";

/** A filter with its criteria in both spellings; where both are sent, `filterSpecs` counts. */
function withBothSpellings({ criteria, filterSpecs, ...rest }: JsonObject): JsonObject {
  const specs = objectsAt({ filterSpecs }, "filterSpecs");
  const byColumn = Object.entries(isObject(criteria) ? criteria : {});
  if (specs.length === 0 && byColumn.length === 0) return rest;
  if (specs.length === 0)
    return {
      ...rest,
      criteria,
      filterSpecs: byColumn.map(([column, filterCriteria]) => ({ columnIndex: Number(column), filterCriteria })),
    };
  const plain = specs.map((spec) => [String(intAt(spec, "columnIndex") ?? 0), objectAt(spec, "filterCriteria")] as const);
  return { ...rest, criteria: Object.fromEntries(plain), filterSpecs: specs };
}

/** Drops both spellings of the criteria when an update names either. */
function withoutStaleSpelling(view: JsonObject, mask: Mask): JsonObject {
  if (!mask.has("criteria") && !mask.has("filterSpecs")) return view;
  const { criteria: _criteria, filterSpecs: _specs, ...rest } = view;
  return rest;
}

function withRange(book: Book, filter: JsonObject): { sheet: Sheet; filter: JsonObject } {
  if (stringAt(filter, "tableId") !== undefined) throw invalid("tables are not supported by this emulator.");
  const target = gridTarget(book, objectAt(filter, "range"));
  return { sheet: target.sheet, filter: { ...withBothSpellings(present(filter)), range: gridRange(target.sheet.state.id, clip(target)) } };
}

function findView(book: Book, id: number | undefined): { sheet: Sheet; view: JsonObject } {
  for (const sheet of book.sheets) {
    const view = sheet.state.features.filterViews.find((v) => v["filterViewId"] === id);
    if (view !== undefined) return { sheet, view };
  }
  throw invalid(`No filter view with id: ${id ?? 0}`);
}

const viewIds = (book: Book) => (id: number) => book.sheets.some((s) => s.state.features.filterViews.some((v) => v["filterViewId"] === id));

function replaceView(sheet: Sheet, old: JsonObject, next: readonly JsonObject[]): void {
  setFeatures(sheet, { filterViews: sheet.state.features.filterViews.flatMap((v) => (v === old ? next : [v])) });
}

export const FILTER_HANDLERS: Handlers = {
  setBasicFilter({ book }, request) {
    const sent = optionalObject(request, "filter");
    if (sent === undefined) throw invalid("Must specify filter.");
    const { sheet, filter } = withRange(book, sent);
    sheet.state = { ...sheet.state, basicFilter: filter };
    const rect = rectOf(objectAt(filter, "range"));
    if (objectsAt(filter, "sortSpecs").length > 0) sortRows(book, sheet, { ...rect, startRow: rect.startRow + 1 }, filter);
    return undefined;
  },

  clearBasicFilter({ book }, request) {
    const sheet = gridWith(book, intAt(request, "sheetId"));
    const { basicFilter: _old, ...rest } = sheet.state;
    sheet.state = rest;
    return undefined;
  },

  addFilterView({ book, ids }, request) {
    const sent = objectAt(request, "filter");
    const wanted = intAt(sent, "filterViewId");
    if (wanted !== undefined && viewIds(book)(wanted)) throw invalid(`A filter view with the id ${wanted} already exists.`);
    const { sheet, filter: ranged } = withRange(book, sent);
    const filterViewId = wanted ?? smallId(ids, viewIds(book));
    const title = stringAt(sent, "title") ?? `Filter ${sheet.state.features.filterViews.length + 1}`;
    const filter = { ...ranged, filterViewId, title };
    setFeatures(sheet, { filterViews: [...sheet.state.features.filterViews, filter] });
    return { filter };
  },

  updateFilterView({ book }, request) {
    const sent = present(objectAt(request, "filter"));
    const mask = parseUpdateMask(stringAt(request, "fields"), "FilterView");
    const { sheet, view } = findView(book, intAt(sent, "filterViewId"));
    const next = withRange(book, { ...update(withoutStaleSpelling(view, mask), sent, mask), filterViewId: view["filterViewId"] });
    if (next.sheet !== sheet) throw invalid("A filter view can't move to another sheet.");
    replaceView(sheet, view, [next.filter]);
    return undefined;
  },

  deleteFilterView({ book }, request) {
    const { sheet, view } = findView(book, intAt(request, "filterId"));
    replaceView(sheet, view, []);
    return undefined;
  },

  duplicateFilterView({ book, ids }, request) {
    const { sheet, view } = findView(book, intAt(request, "filterId"));
    const filter = { ...view, filterViewId: smallId(ids, viewIds(book)), title: `Copy of ${textAt(view, "title")}` };
    setFeatures(sheet, { filterViews: [...sheet.state.features.filterViews, filter] });
    return { filter };
  },
};

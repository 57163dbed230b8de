/** Conditional format rules, banding and borders. Rules are kept in order; an emulator draws nothing by them. */
import type { Book, Sheet } from "../book.ts";
import { type Cell, type Rich, slim } from "../cell.ts";
import { normalised } from "../colours.ts";
import { invalid } from "../errors.ts";
import { parseUpdateMask, update } from "../fieldmask.ts";
import { smallId } from "../ids.ts";
import { intAt, isObject, type JsonObject, objectAt, objectsAt, optionalObject, present, stringAt } from "../json.ts";
import { gridRange, gridTarget, intersects, overlap, rectOf, shownRange } from "../ranges.ts";
import { eachCell } from "./cells.ts";
import { gridWith, type Handlers, setFeatures, targetAt } from "./request.ts";

/** A rule with its ranges as answers show them, and the sheet they are all on. */
function readRule(book: Book, sent: JsonObject): { sheet: Sheet; rule: JsonObject } {
  const targets = objectsAt(sent, "ranges").map((range) => gridTarget(book, range));
  const [first] = targets;
  if (first === undefined) throw invalid("Must specify rule.ranges.");
  if (targets.some((t) => t.sheet !== first.sheet)) throw invalid("All the ranges of a rule must be on one sheet.");
  if (optionalObject(sent, "booleanRule") === undefined && optionalObject(sent, "gradientRule") === undefined)
    throw invalid("Must specify rule.booleanRule or rule.gradientRule.");
  const { ranges: _ranges, ...rest } = sent;
  return { sheet: first.sheet, rule: { ranges: targets.map((t) => shownRange(t.sheet.state.id, t.area)), ...normalised(rest) } };
}

function ruleAt(sheet: Sheet, index: number): JsonObject {
  const rule = sheet.state.features.conditionalFormats[index];
  if (rule === undefined) throw invalid(`No conditional format on sheet: ${sheet.state.id} at index: ${index}`);
  return rule;
}

function setRules(sheet: Sheet, change: (rules: readonly JsonObject[]) => readonly JsonObject[]): void {
  setFeatures(sheet, { conditionalFormats: change(sheet.state.features.conditionalFormats) });
}

function findBand(book: Book, id: number | undefined): { sheet: Sheet; band: JsonObject } {
  for (const sheet of book.sheets) {
    const band = sheet.state.features.bandedRanges.find((b) => b["bandedRangeId"] === id);
    if (band !== undefined) return { sheet, band };
  }
  throw invalid(`No banding with id: ${id ?? 0}`);
}

function readBand(book: Book, sent: JsonObject, bandedRangeId: number): { sheet: Sheet; band: JsonObject } {
  const target = targetAt(book, sent, "range");
  const range = gridRange(target.sheet.state.id, overlap(target));
  const { range: _range, bandedRangeId: _id, ...rest } = normalised(sent);
  return { sheet: target.sheet, band: { bandedRangeId, range, ...rest } };
}

function checkFree(sheet: Sheet, band: JsonObject, own?: JsonObject): void {
  const rect = rectOf(objectAt(band, "range"));
  const other = sheet.state.features.bandedRanges.find((b) => b !== own && intersects(rectOf(objectAt(b, "range")), rect));
  if (other !== undefined)
    throw invalid("You cannot add alternating background colors to a range that already has alternating background colors.");
}

const SIDES = ["top", "bottom", "left", "right"] as const;

/** A cell with these borders beside those it has; style NONE takes one away. */
function bordered(cell: Rich, lines: readonly (readonly [string, JsonObject])[]): Rich {
  if (lines.length === 0) return cell;
  const old = isObject(cell.format?.["borders"]) ? cell.format["borders"] : {};
  const all = Object.entries({ ...old, ...Object.fromEntries(lines) }).filter(
    ([, border]) => isObject(border) && border["style"] !== "NONE",
  );
  const { borders: _old, ...format } = cell.format ?? {};
  return { ...cell, format: all.length === 0 ? format : { ...format, borders: Object.fromEntries(all) } };
}

export const FORMAT_HANDLERS: Handlers = {
  addConditionalFormatRule({ book }, request) {
    const { sheet, rule } = readRule(book, present(objectAt(request, "rule")));
    const index = intAt(request, "index") ?? 0;
    if (index < 0 || index > sheet.state.features.conditionalFormats.length) throw invalid(`index is out of range: ${index}`);
    setRules(sheet, (rules) => rules.toSpliced(index, 0, rule));
    return undefined;
  },

  updateConditionalFormatRule({ book }, request) {
    const index = intAt(request, "index") ?? 0;
    const sent = optionalObject(request, "rule");
    if (sent !== undefined) {
      const { sheet, rule } = readRule(book, present(sent));
      const oldRule = ruleAt(sheet, index);
      setRules(sheet, (rules) => rules.toSpliced(index, 1, rule));
      return { oldRule, newRule: rule };
    }
    const sheet = gridWith(book, intAt(request, "sheetId"));
    const newIndex = intAt(request, "newIndex") ?? 0;
    const rule = ruleAt(sheet, index);
    if (newIndex < 0 || newIndex >= sheet.state.features.conditionalFormats.length) throw invalid(`newIndex is out of range: ${newIndex}`);
    setRules(sheet, (rules) => rules.toSpliced(index, 1).toSpliced(newIndex, 0, rule));
    return { oldIndex: index, newIndex, newRule: rule };
  },

  deleteConditionalFormatRule({ book }, request) {
    const sheet = gridWith(book, intAt(request, "sheetId"));
    const index = intAt(request, "index") ?? 0;
    const rule = ruleAt(sheet, index);
    setRules(sheet, (rules) => rules.toSpliced(index, 1));
    return { rule };
  },

  addBanding({ book, ids }, request) {
    const sent = present(objectAt(request, "bandedRange"));
    const taken = (id: number): boolean => book.sheets.some((s) => s.state.features.bandedRanges.some((b) => b["bandedRangeId"] === id));
    const wanted = intAt(sent, "bandedRangeId");
    if (wanted !== undefined && taken(wanted)) throw invalid(`A banded range with the id ${wanted} already exists.`);
    const { sheet, band } = readBand(book, sent, wanted ?? smallId(ids, taken));
    checkFree(sheet, band);
    setFeatures(sheet, { bandedRanges: [...sheet.state.features.bandedRanges, band] });
    return { bandedRange: band };
  },

  updateBanding({ book }, request) {
    const sent = normalised(present(objectAt(request, "bandedRange")));
    const mask = parseUpdateMask(stringAt(request, "fields"), "BandedRange");
    const id = intAt(sent, "bandedRangeId");
    const { sheet, band } = findBand(book, id);
    const next = readBand(book, update(band, sent, mask), id ?? 0);
    if (next.sheet !== sheet) throw invalid("A banded range can't move to another sheet.");
    checkFree(sheet, next.band, band);
    setFeatures(sheet, { bandedRanges: sheet.state.features.bandedRanges.map((b) => (b === band ? next.band : b)) });
    return undefined;
  },

  deleteBanding({ book }, request) {
    const { sheet, band } = findBand(book, intAt(request, "bandedRangeId"));
    setFeatures(sheet, { bandedRanges: sheet.state.features.bandedRanges.filter((b) => b !== band) });
    return undefined;
  },

  updateBorders({ book }, request) {
    const target = targetAt(book, request, "range");
    const rect = overlap(target);
    const sent = normalised(request);
    const edges = (row: number, column: number) => ({
      top: row === rect.startRow,
      bottom: row === rect.endRow - 1,
      left: column === rect.startColumn,
      right: column === rect.endColumn - 1,
    });
    const line = (side: (typeof SIDES)[number], edge: boolean): JsonObject | undefined => {
      const inner = side === "top" || side === "bottom" ? "innerHorizontal" : "innerVertical";
      return optionalObject(sent, edge ? side : inner);
    };
    const lines = (row: number, column: number): [string, JsonObject][] => {
      const at = edges(row, column);
      return SIDES.flatMap((side): [string, JsonObject][] => {
        const border = line(side, at[side]);
        return border === undefined ? [] : [[side, border]];
      });
    };
    const change = (cell: Rich, row: number, column: number): Cell | undefined => slim(bordered(cell, lines(row, column)));
    eachCell(target.sheet, rect, change, (row, column) => Object.values(edges(row, column)).join());
    return undefined;
  },
};

/** Row and column groups. Groups nest by depth: a row's depth is how many groups cover it. */
import type { Dimension } from "../axis.ts";
import { invalid } from "../errors.ts";
import { parseUpdateMask } from "../fieldmask.ts";
import { intAt, isTrue, type JsonObject, objectAt, stringAt } from "../json.ts";
import { sizeOf } from "../structure.ts";
import { type Handlers, setFeatures, type Stretch, stretchAt } from "./request.ts";

interface Group {
  readonly start: number;
  readonly end: number;
  readonly depth: number;
  readonly collapsed: boolean;
}

/** Google's own limit on nesting. */
const DEEPEST = 8;

function groupsOf({ sheet, dimension }: Stretch): Group[] {
  const list = dimension === "ROWS" ? sheet.state.features.rowGroups : sheet.state.features.columnGroups;
  return list.map((group) => {
    const range = objectAt(group, "range");
    return {
      start: intAt(range, "startIndex") ?? 0,
      end: intAt(range, "endIndex") ?? 0,
      depth: intAt(group, "depth") ?? 1,
      collapsed: isTrue(group, "collapsed"),
    };
  });
}

function shown(sheetId: number, dimension: Dimension, group: Group): JsonObject {
  const range = { ...(sheetId === 0 ? {} : { sheetId }), dimension, startIndex: group.start, endIndex: group.end };
  return { range, depth: group.depth, ...(group.collapsed ? { collapsed: true } : {}) };
}

function store({ sheet, dimension }: Stretch, groups: readonly Group[]): JsonObject {
  const list = groups.map((group) => shown(sheet.state.id, dimension, group));
  setFeatures(sheet, dimension === "ROWS" ? { rowGroups: list } : { columnGroups: list });
  return list.length === 0 ? {} : { dimensionGroups: list };
}

/** Adds `by` to the depth inside a stretch, and reads the groups off the depths again. */
function regroup(stretch: Stretch, by: 1 | -1): Group[] {
  const old = groupsOf(stretch);
  const edges = [...new Set([stretch.start, stretch.end, ...old.flatMap((g) => [g.start, g.end])])].toSorted((a, b) => a - b);
  const pieces = edges.slice(0, -1).map((start, i) => {
    const end = edges[i + 1] ?? start;
    const covered = old.filter((g) => g.start <= start && g.end >= end).length;
    const inside = start >= stretch.start && end <= stretch.end;
    return { start, end, depth: covered + (inside ? by : 0), covered: inside ? covered : 1 };
  });
  if (by < 0 && pieces.some((p) => p.covered === 0)) throw invalid("There is no dimension group on the whole of the range.");
  const deepest = Math.max(0, ...pieces.map((p) => p.depth));
  if (deepest > DEEPEST) throw invalid(`Dimension groups can't be nested deeper than ${DEEPEST}.`);
  const groups: Group[] = [];
  for (let depth = 1; depth <= deepest; depth++)
    for (const piece of pieces) {
      if (piece.depth < depth) continue;
      const last = groups.at(-1);
      if (last?.depth === depth && last.end === piece.start) groups[groups.length - 1] = { ...last, end: piece.end };
      else groups.push({ start: piece.start, end: piece.end, depth, collapsed: false });
    }
  return groups.map((g) => ({
    ...g,
    collapsed: old.some((o) => o.collapsed && o.start === g.start && o.end === g.end && o.depth === g.depth),
  }));
}

const CONTROL: Record<Dimension, string> = { ROWS: "rowGroupControlAfter", COLUMNS: "columnGroupControlAfter" };

function stretchOf(book: Parameters<typeof stretchAt>[0], request: JsonObject): Stretch {
  const stretch = stretchAt(book, request, "range");
  const size = sizeOf(stretch.sheet, stretch.dimension);
  if (stretch.end > size) throw invalid(`range.endIndex is larger than current grid size (${size})`);
  return stretch;
}

export const GROUP_HANDLERS: Handlers = {
  addDimensionGroup({ book }, request) {
    const stretch = stretchOf(book, request);
    const { sheet, dimension } = stretch;
    const reply = store(stretch, regroup(stretch, 1));
    sheet.state = { ...sheet.state, gridProperties: { ...sheet.state.gridProperties, [CONTROL[dimension]]: true } };
    return reply;
  },

  deleteDimensionGroup({ book }, request) {
    const stretch = stretchOf(book, request);
    return store(stretch, regroup(stretch, -1));
  },

  updateDimensionGroup({ book }, request) {
    const mask = parseUpdateMask(stringAt(request, "fields"), "DimensionGroup");
    const group = objectAt(request, "dimensionGroup");
    const stretch = stretchOf(book, group);
    const depth = intAt(group, "depth");
    const groups = groupsOf(stretch);
    const found = groups.find((g) => g.start === stretch.start && g.end === stretch.end && g.depth === depth);
    if (found === undefined) throw invalid("There is no dimension group with that range and depth.");
    if (mask.size > 0 && !mask.has("collapsed")) throw invalid(`Invalid field: ${[...mask.keys()][0] ?? ""}`);
    store(
      stretch,
      groups.map((g) => (g === found ? { ...g, collapsed: isTrue(group, "collapsed") } : g)),
    );
    return undefined;
  },
};

/** Probes of metadata on columns, by which a batch is refused when a column has moved, and of header rows in the answers of changes. */
import type { Finding } from "./assumptions.ts";
import { byId, guard, said, same, show, tag, Untested, verdict, type Bench, type Tab } from "./bench.ts";

const ROWS = [
  ["id", "n", "m"],
  ["a", 3, "x"],
];

const columns = (sheetId: number, startIndex: number): object => ({ sheetId, dimension: "COLUMNS", startIndex, endIndex: startIndex + 1 });

/** The column that a guard is on, from 0; undefined: there is no such guard. */
async function columnOf(bench: Bench, id: number): Promise<number | undefined> {
  const found = await bench.metadata(id);
  if (found.status === 404) return undefined;
  if (found.status !== 200) throw new Untested(`the guard could not be read: ${said(found)}`);
  const { location } = found.json as { location?: { dimensionRange?: { startIndex?: number } } };
  return location?.dimensionRange?.startIndex ?? 0;
}

export async function guardMoves(bench: Bench): Promise<Finding> {
  const tab = await bench.tab(ROWS);
  const { sheetId } = tab;
  const id = bench.id();
  await bench.prepare([guard(id, tab, 1)]);
  const seen: (number | undefined)[] = [];
  for (const edit of [
    { insertDimension: { range: columns(sheetId, 0), inheritFromBefore: false } },
    { moveDimension: { source: columns(sheetId, 2), destinationIndex: 1 } },
    { deleteDimension: { range: columns(sheetId, 0) } },
    { deleteDimension: { range: columns(sheetId, 0) } },
  ]) {
    await bench.prepare([edit]);
    seen.push(await columnOf(bench, id));
  }
  const holds = seen[0] === 2 && seen[1] === 1 && seen[2] === 0 && seen[3] === undefined;
  return verdict(
    holds,
    `inserted before, dragged, deleted before, deleted itself: the guard is on ${show(seen.map((at) => at ?? "none"))}`,
  );
}

/** As the flusher guards a column. */
const guarded = (id: number, tab: Tab, column: number): readonly object[] => {
  const metadataLocation = { dimensionRange: columns(tab.sheetId, column) };
  const lookup = { metadataId: id, metadataLocation, locationMatchingStrategy: "EXACT_LOCATION" };
  return [{ deleteDeveloperMetadata: { dataFilter: { developerMetadataLookup: lookup } } }, guard(id, tab, column)];
};

export async function guardPlace(bench: Bench): Promise<Finding> {
  const tab = await bench.tab(ROWS);
  const id = bench.id();
  const row = (key: string): object => bench.append(tab, [[key]]);
  const first = await bench.batch([...guarded(id, tab, 1), row("first")]);
  const again = await bench.batch([...guarded(id, tab, 1), row("again")]);
  await bench.prepare([{ insertDimension: { range: columns(tab.sheetId, 1), inheritFromBefore: true } }]);
  const moved = await bench.batch([...guarded(id, tab, 1), row("moved")]);
  const keys = (await bench.rows(tab)).map(([key]) => key);
  const holds = same([first.status, again.status, moved.status, keys], [200, 200, 400, ["id", "a", "first", "again"]]);
  return verdict(holds, `created: ${said(first)}; again: ${said(again)}; after a column was inserted: ${said(moved)}; rows ${show(keys)}`);
}

interface Response {
  readonly dataFilter?: { readonly gridRange?: { readonly sheetId?: number; readonly startRowIndex?: number } };
  readonly updatedData?: { readonly values?: readonly (readonly unknown[])[] };
}

export async function filterHeader(bench: Bench): Promise<Finding> {
  const tab = await bench.tab(ROWS);
  const id = bench.id();
  await bench.prepare([tag(id, tab, 1)]);
  const gridRange = { sheetId: tab.sheetId, startRowIndex: 0, endRowIndex: 1 };
  const data = [
    { dataFilter: byId(id), majorDimension: "ROWS", values: [[null, 5]] },
    { dataFilter: { gridRange }, majorDimension: "ROWS", values: [[null]] },
  ];
  const shown = { responseValueRenderOption: "UNFORMATTED_VALUE", responseDateTimeRenderOption: "FORMATTED_STRING" };
  const body = { valueInputOption: "RAW", includeValuesInResponse: true, ...shown, data };
  const query = { fields: "spreadsheetId,responses(dataFilter,updatedData)", prettyPrint: "false" };
  const answer = await bench.call({ verb: "POST", path: "/values:batchUpdateByDataFilter", pool: "write", query, body });
  const { responses = [] } = Object(answer.json) as { responses?: readonly Response[] };
  const header = responses.find(({ dataFilter }) => dataFilter?.gridRange !== undefined)?.updatedData?.values?.[0];
  const rows = await bench.rows(tab);
  const holds = same(header, ["id", "n", "m"]) && same(rows, [ROWS[0], ["a", 5, "x"]]);
  return verdict(holds, `${said(answer)}; the header row: ${show(header)}; ${show(rows)}`);
}

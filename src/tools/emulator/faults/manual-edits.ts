/** What a person does and sees in the browser: edits and rows. They ask no quota and no permission. */
import type { sheets_v4 } from "@googleapis/sheets";
import { columnIndex, quoteTitle } from "../engine/a1.ts";
import type { EngineCall } from "../engine.types.ts";
import type { DurableEngine } from "../state-file.ts";
import type { Edit } from "./fault.ts";

type Cells = readonly (readonly unknown[])[];

/** One spreadsheet as its owner uses it. Each rejects with a RangeError with Google's message where Google would refuse. */
export interface Person {
  edit(edit: Edit): Promise<void>;
  /** A tab's rows: numbers as numbers, dates as serial numbers. */
  rows(tab: string): Promise<Cells>;
  /** All developer metadata, in the API's form. */
  metadata(): Promise<readonly unknown[]>;
}

/** Names the failing request of a batch, which means nothing to a person. */
const BATCH_PREFIX = /^Invalid requests\[0\]\.\w+: /;

export function personAt(engine: DurableEngine, spreadsheetId: string): Person {
  const call = async <T>(name: string, parts: Partial<EngineCall> = {}): Promise<T> => {
    const method = `sheets.spreadsheets.${name}`;
    const path = { spreadsheetId, ...parts.path };
    const { status, body } = await engine.call({
      query: {},
      body: undefined,
      ...parts,
      method,
      path,
    });
    if (status === 200) return body as T;
    const { error } = body as { error: { message: string } };
    throw new RangeError(error.message.replace(BATCH_PREFIX, ""));
  };
  const sheetId = async (tab: string): Promise<number> => {
    const { sheets = [] } = await call<sheets_v4.Schema$Spreadsheet>("get");
    const found = sheets.find(({ properties }) => properties?.title === tab);
    if (found === undefined) throw new RangeError(`${spreadsheetId} has no tab ${tab}`);
    return found.properties?.sheetId ?? 0;
  };
  return {
    async edit(edit) {
      if (edit.kind === "type") {
        const path = { range: `${quoteTitle(edit.tab)}!${edit.at}` };
        const query = { valueInputOption: ["USER_ENTERED"] };
        return call("values.update", { path, query, body: { values: [[edit.value]] } });
      }
      const requests = [requestFor(edit, await sheetId(edit.tab))];
      await call("batchUpdate", { body: { requests } });
    },
    async rows(tab) {
      const query = { valueRenderOption: ["UNFORMATTED_VALUE"] };
      const path = { range: quoteTitle(tab) };
      const { values = [] } = await call<{ values?: Cells }>("values.get", { path, query });
      return values;
    },
    async metadata() {
      const body = { dataFilters: [{ developerMetadataLookup: {} }] };
      const { matchedDeveloperMetadata: matches = [] } =
        await call<sheets_v4.Schema$SearchDeveloperMetadataResponse>("developerMetadata.search", {
          body,
        });
      return matches.map(({ developerMetadata }) => developerMetadata);
    },
  };
}

/** The edit as a request of batchUpdate. */
function requestFor(edit: Exclude<Edit, { kind: "type" }>, sheetId: number): object {
  const rows = (row: number, count: number): object => ({
    sheetId,
    dimension: "ROWS",
    startIndex: row - 1,
    endIndex: row - 1 + count,
  });
  switch (edit.kind) {
    case "rename":
      return {
        updateSheetProperties: { properties: { sheetId, title: edit.to }, fields: "title" },
      };
    case "sort": {
      const sortOrder = edit.descending ? "DESCENDING" : "ASCENDING";
      const sortSpecs = [{ dimensionIndex: columnIndex(edit.column), sortOrder }];
      return { sortRange: { range: { sheetId, startRowIndex: edit.header }, sortSpecs } };
    }
    case "insert":
      return {
        insertDimension: { range: rows(edit.row, edit.count), inheritFromBefore: edit.row > 1 },
      };
    case "delete":
      return { deleteDimension: { range: rows(edit.row, edit.count) } };
    case "move":
      return { moveDimension: { source: rows(edit.row, 1), destinationIndex: edit.to - 1 } };
    default:
      return edit satisfies never;
  }
}

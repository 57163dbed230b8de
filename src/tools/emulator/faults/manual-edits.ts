/** What a person does and sees in the browser: edits and rows. They ask no quota and no permission. */
import { columnIndex, quoteTitle } from "../engine/a1.ts";
import type { EngineCall } from "../engine.types.ts";
import type { DurableEngine } from "../state-file.ts";
import type { Edit } from "./fault.ts";

interface Properties {
  readonly sheetId?: number;
  readonly title: string;
}
type Cells = readonly (readonly unknown[])[];

/** Names the failing request of a batch, which means nothing to a person. */
const BATCH_PREFIX = /^Invalid requests\[0\]\.\w+: /;

/** One spreadsheet, as its owner has it before them. */
export class ManualEdits {
  readonly #engine: DurableEngine;
  readonly #spreadsheetId: string;

  constructor(engine: DurableEngine, spreadsheetId: string) {
    this.#engine = engine;
    this.#spreadsheetId = spreadsheetId;
  }

  /** @throws RangeError with Google's message where Google would refuse the same, and when there is no such tab. */
  async edit(edit: Edit): Promise<void> {
    if (edit.kind === "type") {
      const range = `${quoteTitle(edit.tab)}!${edit.at}`;
      const query = { valueInputOption: ["USER_ENTERED"] };
      await this.#call("values.update", { range }, query, { values: [[edit.value]] });
      return;
    }
    const requests = [requestFor(edit, await this.#sheetId(edit.tab))];
    await this.#call("batchUpdate", {}, {}, { requests });
  }

  /** A tab's rows: numbers as numbers, dates as serial numbers. @throws RangeError when there is no such spreadsheet or tab. */
  async rows(tab: string): Promise<Cells> {
    const query = { valueRenderOption: ["UNFORMATTED_VALUE"] };
    const found = await this.#call("values.get", { range: quoteTitle(tab) }, query);
    return (found as { values?: Cells }).values ?? [];
  }

  /** All developer metadata, in the API's form. @throws RangeError when there is no such spreadsheet. */
  async metadata(): Promise<readonly unknown[]> {
    const body = { dataFilters: [{ developerMetadataLookup: {} }] };
    const { matchedDeveloperMetadata = [] } = (await this.#call(
      "developerMetadata.search",
      {},
      {},
      body,
    )) as { matchedDeveloperMetadata?: readonly { readonly developerMetadata: unknown }[] };
    return matchedDeveloperMetadata.map(({ developerMetadata }) => developerMetadata);
  }

  async #sheetId(title: string): Promise<number> {
    const { sheets = [] } = (await this.#call("get")) as {
      sheets?: readonly { readonly properties: Properties }[];
    };
    const found = sheets.find(({ properties }) => properties.title === title)?.properties;
    if (found === undefined) throw new RangeError(`${this.#spreadsheetId} has no tab ${title}`);
    return found.sheetId ?? 0;
  }

  async #call(
    method: string,
    path: EngineCall["path"] = {},
    query: EngineCall["query"] = {},
    body?: unknown,
  ): Promise<unknown> {
    const { status, body: answer } = await this.#engine.call({
      method: `sheets.spreadsheets.${method}`,
      path: { spreadsheetId: this.#spreadsheetId, ...path },
      query,
      body,
    });
    if (status === 200) return answer;
    const { error } = answer as { error: { message: string } };
    throw new RangeError(error.message.replace(BATCH_PREFIX, ""));
  }
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

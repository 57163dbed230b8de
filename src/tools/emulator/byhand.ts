/**
 * What a person does in the browser while programs are at work: sort, insert, drag and delete rows, rename a tab, type. It
 * asks no quota and no permission; it is on disk like any other change. And what a person sees: a tab's rows.
 */
import type { EngineCall } from "./engine.types.ts";
import type { Edit } from "./fault-kinds.ts";
import type { DurableEngine } from "./state-file.ts";

interface Tab {
  readonly sheetId: number;
  readonly rows: number;
}

interface Properties {
  readonly sheetId?: number;
  readonly title: string;
  readonly gridProperties?: { readonly rowCount?: number };
}

/** Google's message when it would refuse the same; which request of a batch it was means nothing to a person. */
const complaint = (body: unknown): string =>
  ((body as { error?: { message?: string } }).error?.message ?? "no message").replace(
    /^Invalid requests\[0\]\.\w+: /,
    "",
  );

async function ask(engine: DurableEngine, call: EngineCall): Promise<unknown> {
  const answer = await engine.call(call);
  if (answer.status !== 200) throw new RangeError(complaint(answer.body));
  return answer.body;
}

async function tabOf(engine: DurableEngine, spreadsheetId: string, title: string): Promise<Tab> {
  const body = await ask(engine, {
    method: "sheets.spreadsheets.get",
    path: { spreadsheetId },
    query: {},
    body: undefined,
  });
  const { sheets = [] } = body as { sheets?: readonly { readonly properties: Properties }[] };
  const found = sheets.find(({ properties }) => properties.title === title)?.properties;
  if (found === undefined) throw new RangeError(`${spreadsheetId} has no tab ${title}`);
  return { sheetId: found.sheetId ?? 0, rows: found.gridProperties?.rowCount ?? 0 };
}

const dimension = (sheetId: number, startIndex: number, count: number): object => ({
  sheetId,
  dimension: "ROWS",
  startIndex,
  endIndex: startIndex + count,
});

const columnIndex = (letters: string): number =>
  Array.from(letters).reduce((n, letter) => n * 26 + letter.charCodeAt(0) - 64, 0) - 1;

/** The edit as a request of batchUpdate; what is typed goes another way. */
function requestFor(edit: Exclude<Edit, { kind: "type" }>, { sheetId, rows }: Tab): object {
  switch (edit.kind) {
    case "rename":
      return {
        updateSheetProperties: { properties: { sheetId, title: edit.to }, fields: "title" },
      };
    case "sort": {
      const sortSpecs = [
        {
          dimensionIndex: columnIndex(edit.column),
          sortOrder: edit.descending ? "DESCENDING" : "ASCENDING",
        },
      ];
      return {
        sortRange: { range: { sheetId, startRowIndex: edit.header, endRowIndex: rows }, sortSpecs },
      };
    }
    case "insert":
      return {
        insertDimension: {
          range: dimension(sheetId, edit.row - 1, edit.count),
          inheritFromBefore: edit.row > 1,
        },
      };
    case "delete":
      return { deleteDimension: { range: dimension(sheetId, edit.row - 1, edit.count) } };
    case "move":
      return {
        moveDimension: {
          source: dimension(sheetId, edit.row - 1, 1),
          destinationIndex: edit.to - 1,
        },
      };
    default:
      return edit satisfies never;
  }
}

const quoted = (title: string): string => `'${title.replaceAll("'", "''")}'`;

/** @throws RangeError where Google would refuse the same, with its message, and when there is no such tab. */
export async function editByHand(
  engine: DurableEngine,
  spreadsheetId: string,
  edit: Edit,
): Promise<void> {
  if (edit.kind === "type") {
    const path = { spreadsheetId, range: `${quoted(edit.tab)}!${edit.at}` };
    const query = { valueInputOption: ["USER_ENTERED"] };
    await ask(engine, {
      method: "sheets.spreadsheets.values.update",
      path,
      query,
      body: { values: [[edit.value]] },
    });
    return;
  }
  const requests = [requestFor(edit, await tabOf(engine, spreadsheetId, edit.tab))];
  await ask(engine, {
    method: "sheets.spreadsheets.batchUpdate",
    path: { spreadsheetId },
    query: {},
    body: { requests },
  });
}

/**
 * A tab's rows as they are: numbers as numbers, dates as serial numbers, nothing after a row's last value.
 * @throws RangeError when there is no such spreadsheet or tab.
 */
export async function rowsOf(
  engine: DurableEngine,
  spreadsheetId: string,
  tab: string,
): Promise<readonly (readonly unknown[])[]> {
  const query = { valueRenderOption: ["UNFORMATTED_VALUE"] };
  const body = await ask(engine, {
    method: "sheets.spreadsheets.values.get",
    path: { spreadsheetId, range: quoted(tab) },
    query,
    body: undefined,
  });
  return (body as { values?: readonly (readonly unknown[])[] }).values ?? [];
}

/** All developer metadata of a spreadsheet, in the API's form. @throws RangeError when there is no such spreadsheet. */
export async function metadataOf(
  engine: DurableEngine,
  spreadsheetId: string,
): Promise<readonly unknown[]> {
  const body = { dataFilters: [{ developerMetadataLookup: {} }] };
  const found = await ask(engine, {
    method: "sheets.spreadsheets.developerMetadata.search",
    path: { spreadsheetId },
    query: {},
    body,
  });
  const { matchedDeveloperMetadata = [] } = found as {
    matchedDeveloperMetadata?: readonly { readonly developerMetadata: unknown }[];
  };
  return matchedDeveloperMetadata.map(({ developerMetadata }) => developerMetadata);
}

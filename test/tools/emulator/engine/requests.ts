/** Requests of batchUpdate, and parts of them, on the first tab. */

/** A DimensionRange; without an end it is open. */
export const rows = (startIndex: number, endIndex?: number): object => ({
  sheetId: 0,
  dimension: "ROWS",
  startIndex,
  ...(endIndex === undefined ? {} : { endIndex }),
});

/** A GridRange. */
export const grid = (
  startRowIndex: number,
  endRowIndex: number,
  startColumnIndex: number,
  endColumnIndex: number,
): object => ({ sheetId: 0, startRowIndex, endRowIndex, startColumnIndex, endColumnIndex });

export const resized = (rowCount: number, columnCount: number): object => ({
  updateSheetProperties: {
    properties: { sheetId: 0, gridProperties: { rowCount, columnCount } },
    fields: "gridProperties(rowCount,columnCount)",
  },
});

/** Appends rows of one cell each. */
export const appended = (...texts: string[]): object => ({
  appendCells: {
    sheetId: 0,
    fields: "userEnteredValue",
    rows: texts.map((stringValue) => ({ values: [{ userEnteredValue: { stringValue } }] })),
  },
});

const created = (developerMetadata: object): object => ({
  createDeveloperMetadata: { developerMetadata },
});

/** Metadata of the spreadsheet. */
export const fence = (metadataId: number, more: object = {}): object =>
  created({
    metadataId,
    metadataKey: "fence",
    metadataValue: "v",
    location: { spreadsheet: true },
    visibility: "DOCUMENT",
    ...more,
  });

/** Metadata of a row. */
export const tag = (metadataId: number, row: number, more: object = {}): object =>
  created({
    metadataId,
    metadataKey: "row",
    location: { dimensionRange: rows(row, row + 1) },
    visibility: "PROJECT",
    ...more,
  });

/** A DataFilter. */
export const ofId = (metadataId: number): object => ({ developerMetadataLookup: { metadataId } });

export const drop = (metadataId: number): object => ({
  deleteDeveloperMetadata: { dataFilter: ofId(metadataId) },
});

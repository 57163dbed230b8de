/** The methods and the kinds of batchUpdate that the emulator answers as Google does: all that drover sends, and values.* whole. */
export const KEPT_METHODS: ReadonlySet<string> = new Set(
  [
    "get",
    "create",
    "batchUpdate",
    "values.get",
    "values.batchGet",
    "values.update",
    "values.batchUpdate",
    "values.append",
    "values.clear",
    "values.batchClear",
    "values.batchGetByDataFilter",
    "values.batchUpdateByDataFilter",
    "values.batchClearByDataFilter",
    "developerMetadata.get",
    "developerMetadata.search",
  ].map((name) => `sheets.spreadsheets.${name}`),
);

export const KEPT_KINDS: ReadonlySet<string> = new Set([
  "addSheet",
  "deleteSheet",
  "updateSheetProperties",
  "updateCells",
  "appendCells",
  "insertDimension",
  "deleteDimension",
  "moveDimension",
  "appendDimension",
  "sortRange",
  "cutPaste",
  "createDeveloperMetadata",
  "deleteDeveloperMetadata",
]);

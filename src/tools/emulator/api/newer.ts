/**
 * What the Sheets API has gained since the discovery document of generated.ts, taken from the types of
 * @googleapis/sheets 18.1.1 (Apache-2.0, Google). Those types do not list enum values: such fields are strings here.
 * A request kind that stands here passes the validator; whether it is carried out is the engine's answer.
 */
import { COMMON_QUERY, ENUMS, ROUTES, SCHEMAS, type Fields, type Route } from "./generated.ts";

const NEWER_SCHEMAS: Readonly<Record<string, Fields>> = {
  // Tables
  AddTableRequest: { table: "@Table" },
  AddTableResponse: { table: "@Table" },
  UpdateTableRequest: { fields: "fieldmask", table: "@Table" },
  DeleteTableRequest: { tableId: "string" },
  Table: {
    columnProperties: "@TableColumnProperties[]",
    name: "string",
    range: "@GridRange",
    rowsProperties: "@TableRowsProperties",
    tableId: "string",
  },
  TableColumnDataValidationRule: { condition: "@BooleanCondition" },
  TableColumnProperties: {
    columnIndex: "int32",
    columnName: "string",
    columnType: "string",
    dataValidationRule: "@TableColumnDataValidationRule",
  },
  TableRowsProperties: {
    firstBandColorStyle: "@ColorStyle",
    footerColorStyle: "@ColorStyle",
    headerColorStyle: "@ColorStyle",
    secondBandColorStyle: "@ColorStyle",
  },
  AppendCellsRequest: { tableId: "string" },
  BasicFilter: { tableId: "string" },
  FilterView: { tableId: "string" },
  ProtectedRange: { tableId: "string" },
  BandedRange: { bandedRangeReference: "string" },
  // Comments
  InsertCommentRequest: {
    assigneeEmailAddress: "string",
    content: "string",
    coordinate: "@GridCoordinate",
  },
  InsertCommentResponse: { commentThread: "@CommentThread" },
  AddCommentReplyRequest: { commentId: "string", post: "@Post" },
  AddCommentReplyResponse: { post: "@Post" },
  UpdateCommentPostRequest: { commentId: "string", content: "string", postId: "string" },
  DeleteCommentRequest: { commentId: "string" },
  DeleteCommentReplyRequest: { commentId: "string", postId: "string" },
  CommentAnchor: { anchorId: "string", range: "@GridRange" },
  CommentThread: {
    anchorId: "string",
    commentId: "string",
    headPost: "@Post",
    plainTextQuote: "string",
    replies: "@Post[]",
    status: "string",
  },
  Post: {
    assigneeEmail: "string",
    author: "@PostAuthor",
    commentAction: "string",
    content: "string",
    contentHtml: "string",
    createTime: "datetime",
    deleted: "boolean",
    fromCopiedSpreadsheet: "boolean",
    fromImportedSpreadsheet: "boolean",
    postId: "string",
    updateTime: "datetime",
  },
  PostAuthor: { anonymous: "boolean", displayName: "string", me: "boolean", user: "string" },
  BatchUpdateSpreadsheetRequest: { commentsViewMode: "string" },
  BatchUpdateSpreadsheetResponse: { commentUpdateState: "string" },
  GetSpreadsheetByDataFilterRequest: {
    commentsViewMode: "string",
    excludeTablesInBandedRanges: "boolean",
  },
  Spreadsheet: { comments: "@CommentThread[]", commentsViewMode: "string" },
  Sheet: { commentAnchors: "@CommentAnchor[]", tables: "@Table[]" },
  // Smart chips
  CellData: { chipRuns: "@ChipRun[]" },
  ChipRun: { chip: "@Chip", startIndex: "int32" },
  Chip: { personProperties: "@PersonProperties", richLinkProperties: "@RichLinkProperties" },
  PersonProperties: { displayFormat: "string", email: "string" },
  RichLinkProperties: { mimeType: "string", uri: "string" },
  // Data sources
  CancelDataSourceRefreshRequest: {
    dataSourceId: "string",
    isAll: "boolean",
    references: "@DataSourceObjectReferences",
  },
  CancelDataSourceRefreshResponse: { statuses: "@CancelDataSourceRefreshStatus[]" },
  CancelDataSourceRefreshStatus: {
    reference: "@DataSourceObjectReference",
    refreshCancellationStatus: "@RefreshCancellationStatus",
  },
  RefreshCancellationStatus: { errorCode: "string", state: "string" },
  DataSourceSpec: { looker: "@LookerDataSourceSpec" },
  LookerDataSourceSpec: { explore: "string", instanceUri: "string", model: "string" },
  // Others
  SetDataValidationRequest: { filteredRowsIncluded: "boolean" },
  SpreadsheetProperties: { importFunctionsExternalUrlAccessAllowed: "boolean" },
  Request: {
    addCommentReply: "@AddCommentReplyRequest",
    addTable: "@AddTableRequest",
    cancelDataSourceRefresh: "@CancelDataSourceRefreshRequest",
    deleteComment: "@DeleteCommentRequest",
    deleteCommentReply: "@DeleteCommentReplyRequest",
    deleteTable: "@DeleteTableRequest",
    insertComment: "@InsertCommentRequest",
    updateCommentPost: "@UpdateCommentPostRequest",
    updateTable: "@UpdateTableRequest",
  },
  Response: {
    addCommentReply: "@AddCommentReplyResponse",
    addTable: "@AddTableResponse",
    cancelDataSourceRefresh: "@CancelDataSourceRefreshResponse",
    insertComment: "@InsertCommentResponse",
  },
};

const NEWER_QUERY: Readonly<Record<string, Fields>> = {
  "sheets.spreadsheets.get": { commentsViewMode: "string", excludeTablesInBandedRanges: "boolean" },
};

const names = new Set([...Object.keys(SCHEMAS), ...Object.keys(NEWER_SCHEMAS)]);

/** Every schema of the API as it is now. */
export const schemas: ReadonlyMap<string, Fields> = new Map(
  [...names].map((n) => [n, { ...SCHEMAS[n], ...NEWER_SCHEMAS[n] }]),
);

/** Every route of the API as it is now; `query` includes the parameters that all methods take. */
export const routes: readonly Route[] = ROUTES.map((r) => ({
  ...r,
  query: { ...COMMON_QUERY, ...r.query, ...NEWER_QUERY[r.id] },
}));

export const enums: Readonly<Record<string, readonly string[]>> = ENUMS;

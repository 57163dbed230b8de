import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { fieldsOf } from "../../../../src/tools/emulator/api/discovery.ts";
import { HANDLERS } from "../../../../src/tools/emulator/engine/requests/table.ts";
import { client, ok } from "./client.ts";
import { KEPT_METHODS } from "./scope.ts";

const range = {
  sheetId: 0,
  startRowIndex: 0,
  endRowIndex: 2,
  startColumnIndex: 0,
  endColumnIndex: 2,
};
const rows = (startIndex: number, endIndex: number): object => ({
  sheetId: 0,
  dimension: "ROWS",
  startIndex,
  endIndex,
});
const requests = [
  { addSheet: { properties: { title: "x" } } },
  {
    createDeveloperMetadata: {
      developerMetadata: {
        metadataKey: "k",
        location: { dimensionRange: rows(0, 1) },
        visibility: "DOCUMENT",
      },
    },
  },
  { updateCells: { range, rows: [{ values: [{ note: "n" }] }], fields: "note" } },
];

test("every method answers as the discovery document has it", () => {
  const c = client();
  const calls: [string, Parameters<typeof c.call>[1]][] = [
    [
      "values.update",
      {
        path: { range: "A1" },
        query: { valueInputOption: "USER_ENTERED", includeValuesInResponse: "true" },
        body: { values: [["=1/0", "2020-01-01", 1, true]] },
      },
    ],
    [
      "values.append",
      {
        path: { range: "A1" },
        query: { valueInputOption: "RAW", includeValuesInResponse: "true" },
        body: { values: [[1]] },
      },
    ],
    [
      "values.batchUpdate",
      {
        body: {
          valueInputOption: "RAW",
          includeValuesInResponse: true,
          data: [{ range: "A3", values: [[1]] }],
        },
      },
    ],
    [
      "batchUpdate",
      { body: { requests, includeSpreadsheetInResponse: true, responseIncludeGridData: true } },
    ],
    ["get", { query: { includeGridData: "true" } }],
    ["values.get", { path: { range: "A1:B2" } }],
    ["values.batchGet", { query: { ranges: ["A1", "B2"] } }],
    ["values.clear", { path: { range: "A1" } }],
    ["values.batchClear", { body: { ranges: ["A1"] } }],
    ["values.batchGetByDataFilter", { body: { dataFilters: [{ a1Range: "A1" }] } }],
    [
      "values.batchUpdateByDataFilter",
      {
        body: { valueInputOption: "RAW", data: [{ dataFilter: { a1Range: "A1" }, values: [[1]] }] },
      },
    ],
    ["values.batchClearByDataFilter", { body: { dataFilters: [{ a1Range: "A1" }] } }],
    [
      "developerMetadata.search",
      { body: { dataFilters: [{ developerMetadataLookup: { metadataKey: "k" } }] } },
    ],
    ["create", { body: {} }],
  ];
  const methods = new Set([
    ...calls.map(([method]) => `sheets.spreadsheets.${method}`),
    "sheets.spreadsheets.developerMetadata.get",
  ]);
  assert.deepEqual(
    [...methods].toSorted(),
    [...KEPT_METHODS].toSorted(),
    "every method but developerMetadata.get is called",
  );
  for (const [method, parts] of calls) ok(c.call(method, parts)); // the client holds each answer against the API's tables
});

test("the documentation lists the kinds that are carried out", () => {
  const page = readFileSync(new URL("../../../../docs/emulator.md", import.meta.url), "utf8");
  const [, count, list = ""] =
    /carries out (\d+) kinds of\s+requests:\n\n((?:>.*\n)+)/.exec(page) ?? [];
  assert.deepEqual(list.match(/\w+/g)?.toSorted(), [...HANDLERS.keys()].toSorted());
  assert.equal(Number(count), HANDLERS.size);
});

test("every kind that is carried out is one of the API's", () => {
  const kinds = fieldsOf("Request");
  for (const kind of HANDLERS.keys()) assert.ok(kinds.includes(kind), kind);
});

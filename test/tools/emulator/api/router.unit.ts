import assert from "node:assert/strict";
import { test } from "node:test";
import { isRead } from "../../../../src/tools/emulator/api/discovery.ts";
import { matchRoute } from "../../../../src/tools/emulator/api/router.ts";

const V = "sheets.spreadsheets.values";
const CASES: readonly [string, string, string | undefined, Record<string, string>?][] = [
  ["GET", "/v4/spreadsheets/abc", "sheets.spreadsheets.get", { spreadsheetId: "abc" }],
  ["POST", "/v4/spreadsheets", "sheets.spreadsheets.create", {}],
  [
    "POST",
    "/v4/spreadsheets/abc:batchUpdate",
    "sheets.spreadsheets.batchUpdate",
    { spreadsheetId: "abc" },
  ],
  [
    "GET",
    "/v4/spreadsheets/abc/values/Sheet1!A1:B2",
    `${V}.get`,
    { spreadsheetId: "abc", range: "Sheet1!A1:B2" },
  ],
  [
    "GET",
    "/v4/spreadsheets/abc/values/%27a%2Fb%27%21A1",
    `${V}.get`,
    { spreadsheetId: "abc", range: "'a/b'!A1" },
  ],
  ["GET", "/v4/spreadsheets/abc/values:batchGet", `${V}.batchGet`, { spreadsheetId: "abc" }],
  [
    "POST",
    "/v4/spreadsheets/abc/values/A1:B2:append",
    `${V}.append`,
    { spreadsheetId: "abc", range: "A1:B2" },
  ],
  [
    "POST",
    "/v4/spreadsheets/abc/values/A%3AB:clear",
    `${V}.clear`,
    { spreadsheetId: "abc", range: "A:B" },
  ],
  ["PUT", "/v4/spreadsheets/abc/values/A1", `${V}.update`, { spreadsheetId: "abc", range: "A1" }],
  [
    "POST",
    "/v4/spreadsheets/abc/sheets/12:copyTo",
    "sheets.spreadsheets.sheets.copyTo",
    { spreadsheetId: "abc", sheetId: "12" },
  ],
  [
    "GET",
    "/v4/spreadsheets/abc/developerMetadata/5",
    "sheets.spreadsheets.developerMetadata.get",
    { spreadsheetId: "abc", metadataId: "5" },
  ],
  ["DELETE", "/v4/spreadsheets/abc", undefined],
  ["GET", "/v4/spreadsheets", undefined],
  ["GET", "/v4/spreadsheets/abc/values/", undefined],
  ["GET", "/v4/spreadsheets/abc/values/%zz", undefined],
  ["GET", "/v4/spreadsheets/abc/values/a/b", undefined],
  ["GET", "/", undefined],
];

test("verb and path give a method and its decoded parameters", () => {
  for (const [verb, path, id, parameters] of CASES) {
    const match = matchRoute(verb, path);
    assert.equal(match?.route.id, id, `${verb} ${path}`);
    if (parameters !== undefined) assert.deepEqual(match?.path, parameters, `${verb} ${path}`);
  }
});

test("reads that are POSTs take from the read pool", () => {
  for (const id of [
    "sheets.spreadsheets.getByDataFilter",
    `${V}.batchGetByDataFilter`,
    "sheets.spreadsheets.developerMetadata.search",
    `${V}.get`,
  ])
    assert.ok(isRead(id), id);
  for (const id of [
    "sheets.spreadsheets.create",
    "sheets.spreadsheets.batchUpdate",
    `${V}.append`,
    `${V}.batchClear`,
  ])
    assert.ok(!isRead(id), id);
});

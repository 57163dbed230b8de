/** What the emulator answers, and that it refuses the rest of the API by name: no caller takes a silent `{}` for success. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { fieldsOf, METHODS } from "../../../../src/tools/emulator/api/discovery.ts";
import { HANDLERS } from "../../../../src/tools/emulator/engine/batch-update.ts";
import { client, ok, refusal } from "./client.ts";
import { grid, tag } from "./requests.ts";
import { KEPT_KINDS, KEPT_METHODS } from "./scope.ts";

test("the kept kinds of requests are carried out, and no other", () => {
  assert.equal(KEPT_KINDS.size, 13);
  assert.deepEqual(Object.keys(HANDLERS).toSorted(), [...KEPT_KINDS].toSorted());
});

test("any other kind of request is a 400 that names it", () => {
  const c = client();
  const others = fieldsOf("Request").filter((kind) => !KEPT_KINDS.has(kind));
  assert.ok(others.length > 0);
  for (const kind of others) {
    const answer = c.batch({ [kind]: {} });
    assert.equal(answer.status, 400);
    assert.equal(
      refusal(answer),
      `Invalid requests[0].${kind}: this kind of request is not supported by this emulator.`,
    );
  }
});

test("every kept method is answered, any other is a 400 that names it", () => {
  const c = client();
  assert.equal(KEPT_METHODS.size, 15);
  for (const id of METHODS.keys()) {
    const answer = c.call(id.replace("sheets.spreadsheets.", ""), {
      path: { range: "A1", metadataId: "1", sheetId: "0" },
    });
    const unsupported = refusal(answer) === `The method ${id} is not supported by this emulator.`;
    assert.equal(unsupported, !KEPT_METHODS.has(id), id);
    if (unsupported) assert.equal(answer.status, 400);
  }
});

const requests = [
  { addSheet: { properties: { title: "x" } } },
  tag(7, 0, { metadataKey: "k" }),
  { updateCells: { range: grid(0, 2, 0, 2), rows: [{ values: [{ note: "n" }] }], fields: "note" } },
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
  assert.deepEqual(list.match(/\w+/g)?.toSorted(), Object.keys(HANDLERS).toSorted());
  assert.equal(Number(count), Object.keys(HANDLERS).length);
});

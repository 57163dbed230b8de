import assert from "node:assert/strict";
import { test } from "node:test";
import { type Body, client, ok, refusal } from "./client.ts";

const fence = (metadataId: number): object => ({
  createDeveloperMetadata: {
    developerMetadata: { metadataId, metadataKey: "fence", metadataValue: "v", location: { spreadsheet: true }, visibility: "DOCUMENT" },
  },
});
const row = (text: string): object => ({
  appendCells: { sheetId: 0, fields: "userEnteredValue", rows: [{ values: [{ userEnteredValue: { stringValue: text } }] }] },
});
const drop = (metadataId: number): object => ({ deleteDeveloperMetadata: { dataFilter: { developerMetadataLookup: { metadataId } } } });

test("an id is given once: the second batch with it is refused whole", () => {
  const c = client();
  ok(c.batch(fence(7), row("once")));
  const again = c.batch(row("twice"), fence(7));
  assert.equal(again.status, 400);
  assert.equal(
    refusal(again),
    "Invalid requests[1].createDeveloperMetadata: Cannot add developer metadata with ID [7] because developer metadata with that ID already exists.",
  );
  assert.deepEqual(c.values("A:A"), [["once"]]);
  ok(c.batch(fence(8), drop(7), row("next")));
  ok(c.batch(fence(7)));
  assert.deepEqual(c.values("A:A"), [["once"], ["next"]]);
});

test("get and search find it; what is gone is 404, and deleting it again deletes nothing", () => {
  const c = client();
  const made = ok(c.batch(fence(7)))["replies"];
  const metadata = {
    metadataId: 7,
    metadataKey: "fence",
    metadataValue: "v",
    location: { locationType: "SPREADSHEET", spreadsheet: true },
    visibility: "DOCUMENT",
  };
  assert.deepEqual(made, [{ createDeveloperMetadata: { developerMetadata: metadata } }]);
  assert.deepEqual(ok(c.call("developerMetadata.get", { path: { metadataId: "7" } })), metadata);
  const filter = { developerMetadataLookup: { metadataKey: "fence" } };
  assert.deepEqual(ok(c.call("developerMetadata.search", { body: { dataFilters: [filter] } })), {
    matchedDeveloperMetadata: [{ developerMetadata: metadata, dataFilters: [filter] }],
  });
  assert.deepEqual(ok(c.batch(drop(7), drop(7)))["replies"], [
    { deleteDeveloperMetadata: { deletedDeveloperMetadata: [metadata] } },
    { deleteDeveloperMetadata: {} },
  ]);
  const gone = c.call("developerMetadata.get", { path: { metadataId: "7" } });
  assert.deepEqual([gone.status, refusal(gone)], [404, "No developer metadata with ID 7."]);
});

test("metadata of a row follows it, and selects it for reads and writes", () => {
  const c = client();
  ok(
    c.put("A1", [
      ["a", 1],
      ["b", 2],
      ["c", 3],
    ]),
  );
  const dimensionRange = { sheetId: 0, dimension: "ROWS", startIndex: 1, endIndex: 2 };
  ok(
    c.batch({
      createDeveloperMetadata: {
        developerMetadata: { metadataKey: "id", metadataValue: "b", location: { dimensionRange }, visibility: "PROJECT" },
      },
    }),
  );
  ok(c.batch({ insertDimension: { range: { sheetId: 0, dimension: "ROWS", startIndex: 0, endIndex: 2 } } }));
  const dataFilter = { developerMetadataLookup: { metadataKey: "id", metadataValue: "b" } };
  const read = ok(c.call("values.batchGetByDataFilter", { body: { dataFilters: [dataFilter] } }));
  assert.deepEqual(read["valueRanges"], [
    { valueRange: { range: "Sheet1!A4:Z4", majorDimension: "ROWS", values: [["b", "2"]] }, dataFilters: [dataFilter] },
  ]);
  const data = [{ dataFilter, values: [["B"]] }];
  const wrote = ok(c.call("values.batchUpdateByDataFilter", { body: { valueInputOption: "RAW", data } }));
  assert.deepEqual(wrote["responses"], [{ updatedRange: "Sheet1!A4", updatedRows: 1, updatedColumns: 1, updatedCells: 1, dataFilter }]);
  const cleared = ok(c.call("values.batchClearByDataFilter", { body: { dataFilters: [dataFilter] } }));
  assert.deepEqual(cleared["clearedRanges"], ["Sheet1!A4:Z4"]);
  assert.deepEqual(c.values("A3:B5"), [["a", "1"], [], ["c", "3"]]);
});

test("an update changes what a filter finds and nothing's id", () => {
  const c = client();
  ok(c.batch(fence(1), fence(2)));
  const update = {
    dataFilters: [{ developerMetadataLookup: { metadataId: 2 } }],
    developerMetadata: { metadataValue: "w" },
    fields: "metadataValue",
  };
  const [reply] = ok(c.batch({ updateDeveloperMetadata: update }))["replies"] as {
    updateDeveloperMetadata: { developerMetadata: Body[] };
  }[];
  assert.deepEqual(
    reply?.updateDeveloperMetadata.developerMetadata.map((m) => [m["metadataId"], m["metadataValue"]]),
    [[2, "w"]],
  );
  assert.match(refusal(c.batch({ updateDeveloperMetadata: { ...update, fields: "metadataId" } })), /can't be updated/);
});

test("metadata without key, visibility or a single place is refused; so is more than the storage holds", () => {
  const c = client();
  const create = (metadata: object): string =>
    refusal(
      c.batch({
        createDeveloperMetadata: {
          developerMetadata: { metadataKey: "k", visibility: "DOCUMENT", location: { spreadsheet: true }, ...metadata },
        },
      }),
    );
  assert.match(create({ metadataKey: "" }), /key must be specified/);
  assert.match(create({ visibility: null }), /visibility must be specified/);
  assert.match(create({ location: {} }), /must have a location/);
  assert.match(create({ metadataId: -1 }), /positive/);
  assert.match(create({ location: { sheetId: 99 } }), /No grid with id: 99/);
  assert.match(create({ location: { dimensionRange: { sheetId: 0, dimension: "ROWS", startIndex: 0, endIndex: 2 } } }), /single row/);
  assert.match(create({ metadataValue: "x".repeat(100_000) }), /allowed storage limit/);
});

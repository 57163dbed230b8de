import assert from "node:assert/strict";
import { test } from "node:test";
import { client, ok, refusal } from "./client.ts";
import { appended, drop, fence, rows, tag } from "./requests.ts";

test("an id is given once: the second batch with it is refused whole", () => {
  const c = client();
  ok(c.batch(fence(7), appended("once")));
  const again = c.batch(appended("twice"), fence(7));
  assert.equal(again.status, 400);
  assert.equal(
    refusal(again),
    "Invalid requests[1].createDeveloperMetadata: Cannot add developer metadata with ID [7] because developer metadata with that ID already exists.",
  );
  assert.deepEqual(c.values("A:A"), [["once"]]);
  ok(c.batch(fence(8), drop(7), appended("next")));
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

test("metadata without key, visibility or a single place is refused; so is more than the storage holds", () => {
  const c = client();
  const create = (metadata: object): string => refusal(c.batch(fence(7, metadata)));
  assert.match(create({ metadataKey: "" }), /key must be specified/);
  assert.match(create({ visibility: null }), /visibility must be specified/);
  assert.match(create({ location: {} }), /must have a location/);
  assert.match(create({ metadataId: -1 }), /positive/);
  assert.match(create({ location: { sheetId: 99 } }), /No grid with id: 99/);
  assert.match(
    create({
      location: { dimensionRange: rows(0, 2) },
    }),
    /single row/,
  );
  assert.match(create({ metadataValue: "x".repeat(100_000) }), /allowed storage limit/);
});

test("thirty thousand characters for the spreadsheet, and as many for each sheet with its rows", () => {
  const c = client();
  ok(c.batch({ addSheet: { properties: { sheetId: 5, title: "Other" } } }));
  const full = { metadataKey: "k", metadataValue: "x".repeat(29_999) };
  const most = "Adding the requested developer metadata would exceed the allowed storage limit";
  ok(c.batch(fence(1, full), tag(2, 0, full)));
  const other = {
    location: { dimensionRange: { sheetId: 5, dimension: "COLUMNS", startIndex: 0, endIndex: 1 } },
  };
  ok(c.batch(tag(3, 0, { ...full, ...other })));
  const sheet = { location: { sheetId: 0 } };
  for (const more of [
    fence(4, { metadataKey: "k" }),
    tag(4, 7, { metadataKey: "k" }),
    tag(4, 0, { metadataKey: "k", ...sheet }),
  ])
    assert.ok(refusal(c.batch(more)).endsWith(most));
  ok(c.batch(drop(1), fence(4, { metadataKey: "k" })));
});

test("a tab that goes takes its metadata, and the ids are free again", () => {
  const c = client();
  ok(c.batch(tag(1, 0), { addSheet: { properties: { title: "left" } } }));
  ok(c.batch({ deleteSheet: { sheetId: 0 } }));
  assert.equal(c.call("developerMetadata.get", { path: { metadataId: "1" } }).status, 404);
  ok(c.batch(fence(1)));
});

import assert from "node:assert/strict";
import test from "node:test";
import { BOOK, SHEET, world } from "./world.ts";

const API = `/v4/spreadsheets/${SHEET}`;

test("a spreadsheet that is shared as Viewer can be read and not be written; its owner may change that", async (t) => {
  const { emulator, call } = await world(t, { spreadsheets: [{ ...BOOK, sharing: "viewer" }] });
  const search = { dataFilters: [{ developerMetadataLookup: { metadataKey: "x" } }] };
  const batch = { requests: [{ addSheet: { properties: { title: "Another" } } }] };
  assert.equal((await call("GET", `${API}/values/Sheet1`)).status, 200);
  assert.equal((await call("POST", `${API}/developerMetadata:search`, search)).status, 200);
  const refused = await call("POST", `${API}:batchUpdate`, batch);
  assert.deepEqual(
    [refused.status, refused.json().error.status, refused.json().error.message],
    [403, "PERMISSION_DENIED", "The caller does not have permission"],
  );
  assert.equal(
    (await call("PUT", `${API}/values/Sheet1!A1?valueInputOption=RAW`, { values: [["x"]] })).status,
    403,
  );
  emulator.share(SHEET, "shared");
  assert.notEqual((await call("POST", `${API}:batchUpdate`, batch)).status, 403);
});

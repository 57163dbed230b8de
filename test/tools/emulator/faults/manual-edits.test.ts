import assert from "node:assert/strict";
import { test } from "node:test";
import { SHEET } from "../world.ts";
import { BOOK_PATH, faulty } from "./faulty.ts";

test("edits over HTTP and in process, refused in Google's words", async (t) => {
  const w = await faulty(t);
  await w.append("0", "Zoë");
  const edit = (specs: string) => w.admin("POST", `/emulator/edits?spreadsheet=${SHEET}`, specs);
  const done = await edit("sort=Sheet1;insert=Sheet1,row=2,count=2;type=Sheet1,at=B2,value=12.5");
  assert.equal(done.status, 200);
  const rows = await w.admin("GET", `/emulator/rows?spreadsheet=${SHEET}&tab=Sheet1`);
  assert.deepEqual(rows.json(), [["id", "name"], ["", 12.5], [], ["0", "Zoë"], ["1", "Ada"]]);
  await w.emulator.edit(SHEET, "delete=Sheet1,row=2,count=2;move=Sheet1,row=3,to=2");
  await w.emulator.edit(SHEET, "rename=Sheet1,to=It's");
  const moved = [
    ["id", "name"],
    ["1", "Ada"],
    ["0", "Zoë"],
  ];
  assert.deepEqual(await w.emulator.rows(SHEET, "It's"), moved);
  await assert.rejects(w.emulator.edit(SHEET, "sort"), /tab must be a text/);
  const refused = await edit("delete=It's,row=1,count=1000");
  const error = "You can't delete all the rows on the sheet.";
  assert.deepEqual([refused.status, refused.json()], [409, { error }]);
  assert.match((await edit("sort=Sheet1")).json().error, /no tab Sheet1/);
  assert.match((await edit("hang")).json().error, /hang: kind must be one of/);
  assert.equal((await w.admin("GET", `/emulator/rows?spreadsheet=nowhere&tab=A`)).status, 404);
  assert.deepEqual((await w.admin("GET", `/emulator/metadata?spreadsheet=${SHEET}`)).json(), []);
  assert.equal(w.emulator.counters.requests().reads, 0, "looking counts for nothing");
});

test("a person edits between calls: tags follow their rows, and values written by tag find them", async (t) => {
  const w = await faulty(t);
  for (const id of ["5", "3", "9", "7"]) await w.append(id, `name of ${id}`);
  const lookup = (id: number) => ({ developerMetadataLookup: { metadataId: id } });
  const tag = (row: number, metadataId: number): object => {
    const rows = { sheetId: 0, dimension: "ROWS", startIndex: row, endIndex: row + 1 };
    const location = { dimensionRange: rows };
    const tagged = { metadataId, metadataKey: "row", location, visibility: "PROJECT" };
    return { createDeveloperMetadata: { developerMetadata: tagged } };
  };
  await w.call("POST", `${BOOK_PATH}:batchUpdate`, {
    requests: [1, 2, 3, 4, 5].map((row) => tag(row, 100 + row)),
  });
  await w.order(
    "sort=Sheet1,column=B,descending,every=3;insert=Sheet1,row=2,every=2;move=Sheet1,row=6,to=3,every=5;delete=Sheet1,row=2,skip=11",
  );
  const names = ["1", "5", "3", "9", "7"];
  for (let round = 0; round < 20; round += 1) {
    const nr = round % names.length;
    const dataFilter = lookup(101 + nr);
    const data = [{ dataFilter, values: [[null, null, `round ${round}`]] }];
    const written = { valueInputOption: "RAW", data };
    await w.call("POST", `${BOOK_PATH}/values:batchUpdateByDataFilter`, written);
    const read = { dataFilters: [dataFilter] };
    const answer = await w.call("POST", `${BOOK_PATH}/values:batchGetByDataFilter`, read);
    const [found] = answer.json().valueRanges ?? [];
    if (found === undefined) continue;
    const [row] = found.valueRange.values;
    assert.deepEqual([row[0], row[2]], [names[nr], `round ${round}`]);
  }
  const { byKind } = w.emulator.faults.delivered();
  assert.deepEqual(byKind, { sort: 13, insert: 20, move: 8, delete: 1 });
});

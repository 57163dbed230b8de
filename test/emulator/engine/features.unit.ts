import assert from "node:assert/strict";
import { test } from "node:test";
import { type Body, type Client, client, ok, refusal } from "./client.ts";

interface Tab {
  readonly properties: {
    readonly sheetId: number;
    readonly title: string;
    readonly gridProperties: Record<string, unknown>;
    readonly [key: string]: unknown;
  };
  readonly [key: string]: unknown;
}
const tabs = (c: Client): Tab[] => c.book()["sheets"] as Tab[];
const range = (startRowIndex: number, endRowIndex: number, startColumnIndex: number, endColumnIndex: number): object => ({
  sheetId: 0,
  startRowIndex,
  endRowIndex,
  startColumnIndex,
  endColumnIndex,
});

test("a named range is read and written by its name, also behind a tab's title, whichever tab it lies on", () => {
  const c = client();
  ok(
    c.batch({ addNamedRange: { namedRange: { name: "Prize", range: range(0, 2, 0, 2) } } }, { addSheet: { properties: { title: "Two" } } }),
  );
  for (const name of ["Prize", "prize", "'Sheet1'!Prize", "Two!Prize"]) {
    ok(c.put(name, [[name]], { valueInputOption: "RAW" }));
    assert.deepEqual(c.get(name), { range: "Sheet1!A1:B2", majorDimension: "ROWS", values: [[name]] });
  }
  assert.equal(refusal(c.call("values.get", { path: { range: "Nope!Prize" } })), "Unable to parse range: Nope!Prize");
  assert.equal(refusal(c.call("values.get", { path: { range: "Two!Nope" } })), "Unable to parse range: Two!Nope");
});

test("named ranges: one name once, updates by mask", () => {
  const c = client();
  const add = (name: string): object => ({ addNamedRange: { namedRange: { name, range: range(0, 2, 0, 2) } } });
  const [reply] = ok(c.batch(add("Prize")))["replies"] as { addNamedRange: { namedRange: { namedRangeId: string } } }[];
  const namedRangeId = reply?.addNamedRange.namedRange.namedRangeId;
  assert.match(refusal(c.batch(add("prize"))), /a named range with that name already exists/);
  for (const name of ["", "A1", "1x", "a b", "TRUE"]) assert.match(refusal(c.batch(add(name))), /invalid/, name);
  ok(c.batch({ updateNamedRange: { namedRange: { namedRangeId, name: "Other" }, fields: "name" } }));
  assert.deepEqual(c.book({ fields: "namedRanges" }), {
    namedRanges: [{ namedRangeId, name: "Other", range: { startRowIndex: 0, endRowIndex: 2, startColumnIndex: 0, endColumnIndex: 2 } }],
  });
  ok(c.batch({ deleteNamedRange: { namedRangeId } }));
  assert.deepEqual(c.book({ fields: "namedRanges" }), {});
});

test("protected ranges: the one user may edit; an answer to add names no one, a get does", () => {
  const c = client();
  const [reply] = ok(
    c.batch({
      addProtectedRange: {
        protectedRange: { range: range(0, 2, 0, 2), description: null, warningOnly: true, requestingUserCanEdit: false, editors: null },
      },
    }),
  )["replies"] as { addProtectedRange: { protectedRange: Body } }[];
  const made = reply?.addProtectedRange.protectedRange;
  const { protectedRangeId } = made ?? {};
  assert.deepEqual(made, {
    protectedRangeId,
    range: { startRowIndex: 0, endRowIndex: 2, startColumnIndex: 0, endColumnIndex: 2 },
    warningOnly: true,
    requestingUserCanEdit: true,
    editors: {},
  });
  const shown = (): Body[] => (tabs(c)[0]?.["protectedRanges"] as Body[] | undefined) ?? [];
  assert.match(JSON.stringify(shown()[0]?.["editors"]), /^\{"users":\["[^"]+"\]\}$/);
  ok(c.batch({ updateProtectedRange: { protectedRange: { protectedRangeId, description: "d" }, fields: "description" } }));
  assert.equal(shown()[0]?.["description"], "d");
  ok(c.batch({ deleteProtectedRange: { protectedRangeId } }));
  assert.deepEqual(shown(), []);
  assert.match(refusal(c.batch({ deleteProtectedRange: { protectedRangeId } })), /No protected range with id/);
});

test("the basic filter fills in the grid's sides and follows its rows", () => {
  const c = client();
  ok(c.batch({ setBasicFilter: { filter: { range: { sheetId: 0 } } } }));
  assert.deepEqual(tabs(c)[0]?.["basicFilter"], {
    range: { startRowIndex: 0, endRowIndex: 1000, startColumnIndex: 0, endColumnIndex: 26 },
  });
  ok(
    c.batch(
      { setBasicFilter: { filter: { range: range(1, 3, 0, 2) } } },
      { insertDimension: { range: { sheetId: 0, dimension: "ROWS", startIndex: 0, endIndex: 1 } } },
    ),
  );
  assert.deepEqual(tabs(c)[0]?.["basicFilter"], { range: { startRowIndex: 2, endRowIndex: 4, startColumnIndex: 0, endColumnIndex: 2 } });
  ok(c.batch({ clearBasicFilter: { sheetId: 0 } }));
  assert.equal(tabs(c)[0]?.["basicFilter"], undefined);
});

test("filter views, banding and conditional rules are kept, changed and removed by what names them", () => {
  const c = client();
  const added = ok(
    c.batch(
      { addFilterView: { filter: { title: "v", range: range(0, 5, 0, 2) } } },
      { addBanding: { bandedRange: { range: range(0, 5, 0, 2), rowProperties: { firstBandColor: { red: 1 } } } } },
    ),
  );
  const [view, band] = added["replies"] as [{ addFilterView: { filter: Body } }, { addBanding: { bandedRange: Body } }];
  const { filterViewId } = view.addFilterView.filter;
  const { bandedRangeId, rowProperties } = band.addBanding.bandedRange;
  assert.deepEqual(rowProperties, { firstBandColor: { red: 1 }, firstBandColorStyle: { rgbColor: { red: 1 } } });
  assert.match(
    refusal(c.batch({ addBanding: { bandedRange: { range: range(4, 9, 0, 1), rowProperties: {} } } })),
    /already has alternating background colors/,
  );
  const rule = { ranges: [range(0, 5, 0, 1)], booleanRule: { condition: { type: "NOT_BLANK" }, format: { textFormat: { bold: true } } } };
  ok(
    c.batch(
      { addConditionalFormatRule: { rule, index: 0 } },
      { updateFilterView: { filter: { filterViewId, title: "w" }, fields: "title" } },
    ),
  );
  assert.match(JSON.stringify(tabs(c)[0]?.["filterViews"]), /"title":"w"/);
  assert.match(refusal(c.batch({ deleteConditionalFormatRule: { sheetId: 0, index: 1 } })), /at index: 1/);
  ok(
    c.batch(
      { deleteConditionalFormatRule: { sheetId: 0, index: 0 } },
      { deleteFilterView: { filterId: filterViewId } },
      { deleteBanding: { bandedRangeId } },
    ),
  );
  assert.deepEqual(Object.keys(tabs(c)[0] ?? {}), ["properties"]);
});

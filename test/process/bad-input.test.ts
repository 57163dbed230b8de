/** What clients send and people do that is wrong, against a daemon: refused by name, or kept until it can be done rightly, never silently wrong. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import { request } from "../tools/emulator/world.ts";
import { book, type Book, type Tab } from "./book.ts";
import { get, ONE } from "./harness.ts";
import { eventually } from "../support/wait.ts";

const HEADER = ["id", "name", "score", "note"];
const ROWS = [HEADER, ["p1", "Ada", 1, "first"], ["p2", "Bob", 2, "second"], ["p3", "Eve", 3, "third"]];
const QUICK = { ttl: "300ms" };
const problem = (body: Buffer) => JSON.parse(body.toString()) as { code: string; detail: string; column?: string; row?: number };

const columns = (sheetId: number, startIndex: number) => ({ sheetId, dimension: "COLUMNS", startIndex, endIndex: startIndex + 1 });

/** Lets all that is done by hand go unnoticed: a table's rows are read once, and then its writes come. */
const read = (it: Book, table: string) => get(`${it.daemon.url}/api/tables/${table}`);
/** An operator has a table read again: neither reads nor writes wait longer for a tab that is there again. */
async function purge({ daemon }: Book, table: string): Promise<void> {
  const token = readFileSync(join(daemon.dir, "var/admin-token"), "utf8").trim();
  const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
  const { status, body } = await request(`${daemon.url}/api/admin/cache/purge`, "POST", headers, JSON.stringify({ table }));
  assert.equal(status, 200, body.toString());
}
const warned = (it: Book, table: string) =>
  eventually(`status and the table's route tell that something is wrong with ${table}`, async () => {
    const report = (await it.daemon.status()).upstream?.tables.find(({ name }) => name === table);
    const { headers } = await read(it, table);
    const said = headers["x-table-warnings"];
    return (report?.warnings ?? 0) > 0 && said !== undefined && Number(said) === report?.warnings && report;
  });

const TABS: Readonly<Record<string, Tab>> = {
  values: { rows: ROWS, table: { columns: { score: { type: "integer" } } } },
  texts: { rows: ROWS },
  bounded: { rows: ROWS, table: { range: "bounded!A1:D4" } },
  renamed: { rows: ROWS },
  named: { rows: ROWS, table: { columns: { note: { type: "string" } } } },
  inserted: { rows: ROWS },
  doubled: { rows: ROWS, table: QUICK },
  moved: { rows: ROWS },
  deleted: { rows: ROWS },
  sorted: { rows: [HEADER, ...Array.from({ length: 60 }, (_, i) => [`z${i}`, `zz${i}`, -1, ""])] },
  crowded: { rows: ROWS },
};

test("what clients send, and what people do to the sheet meanwhile", { concurrency: true }, async (t) => {
  const it = await book(t, TABS, ONE);
  await eventually("all rows are known", async () =>
    (await Promise.all(Object.keys(TABS).map((name) => read(it, name)))).every((a) => a.status === 200),
  );
  const [[name, check], ...checks] = Object.entries(CHECKS) as [Entry, ...Entry[]]; // the first fills the spreadsheet
  await t.test(name, () => check(it));
  await Promise.all(checks.map(([name, check]) => t.test(name, () => check(it))));
  assert.deepEqual(await it.daemon.stop(), { code: 0, signal: null });
});

type Entry = [string, (it: Book) => Promise<void>];
const CHECKS: Readonly<Record<string, Entry[1]>> = {
  async "a row beyond the table's range is refused; one beyond the spreadsheet's cells is set aside with Google's words"(it) {
    const { status, body } = await it.write("POST", "bounded", { name: "x" });
    assert.deepEqual([status, problem(body).code], [403, "not-writable"]);
    const properties = { sheetId: await it.sheetId("crowded"), gridProperties: { rowCount: ROWS.length, columnCount: HEADER.length } };
    await it.hand({ updateSheetProperties: { properties, fields: "gridProperties(rowCount,columnCount)" } });
    await it.hand({ addSheet: { properties: { title: "ballast", gridProperties: { rowCount: 9_000_000, columnCount: 1 } } } });
    await fillUp(it);
    const write = await it.taken("POST", "crowded", { name: "one too many" });
    const end = await it.ended(write);
    assert.equal(end.state, "parked");
    assert.match(end.reason ?? "", /10000000 cells/);
    await it.hand({ deleteSheet: { sheetId: await it.sheetId("ballast") } });
    await eventually("status counts it", async () => ((await it.daemon.status()).upstream?.writes?.parked ?? 0) >= 1);
    assert.equal((await it.ended(await it.taken("POST", "crowded", { name: "now there is room" }))).state, "landed");
  },

  async "an unknown column, a wrong type and too long a cell are 422 and name the column"(it) {
    const bad: [Record<string, unknown>, string][] = [
      [{ nmae: "x" }, "nmae"],
      [{ name: "x", score: "many" }, "score"],
      [{ name: "x", score: 1.5 }, "score"],
      [{ name: "x", note: "x".repeat(50_001) }, "note"],
      [{ name: "x", note: "\ud83d" }, "note"],
    ];
    for (const [row, column] of bad)
      for (const [method, path] of [
        ["POST", "values"],
        ["PATCH", "values/p1"],
      ] as const) {
        const { status, body } = await it.write(method, path, row);
        assert.deepEqual([status, problem(body).column], [422, column], body.toString());
      }
    const { status, body } = await it.write("POST", "values", [{ name: "good" }, { name: "x", scroe: 1 }]);
    assert.deepEqual([status, problem(body).column, problem(body).row], [422, "scroe", 1]);
    assert.equal((await it.rows("values")).length, ROWS.length, "all or nothing");
    assert.equal((await it.ended(await it.taken("POST", "values", { note: "x".repeat(50_000) }))).state, "landed");
  },

  async "text that looks like something else is text in the cell, added or changed"(it) {
    const texts = ["=1+1", "+A1", "-2+3", "@SUM(1)", "'quoted", '=IMPORTXML("http://x","//a")', "007", "TRUE", "1/2/2026", "1e3", "#REF!"];
    const { body } = await it.write(
      "POST",
      "texts?wait=sheet",
      texts.map((note, i) => ({ id: `t${i}`, note })),
    );
    assert.match(body.toString(), /"landed"/);
    const cells = await it.entered("texts");
    assert.deepEqual(
      texts.map((_, i) => cells.find(([id]) => JSON.stringify(id) === JSON.stringify({ stringValue: `t${i}` }))?.[3]),
      texts.map((stringValue) => ({ stringValue })),
    );
    const changed = await Promise.all(texts.slice(0, 5).map((note, i) => it.taken("PATCH", `texts/t${i + 5}`, { note })));
    for (const write of changed) assert.equal((await it.ended(write)).state, "landed");
    const after = await it.entered("texts");
    assert.deepEqual(
      texts.slice(0, 5).map((_, i) => after.find(([id]) => JSON.stringify(id) === JSON.stringify({ stringValue: `t${i + 5}` }))?.[3]),
      texts.slice(0, 5).map((stringValue) => ({ stringValue })),
    );
  },

  async "a column renamed by hand: its values land nowhere, and the reason is told"(it) {
    await read(it, "renamed");
    await it.type("renamed!D1", [["remark"]]);
    const lost = await it.taken("POST", "renamed", { name: "new", note: "for the old name" });
    const kept = await it.taken("POST", "renamed", { name: "kept", score: 5 });
    assert.match((await it.ended(lost)).reason ?? "", /no column "note"/);
    assert.equal((await it.ended(kept)).state, "landed");
    assert.ok(!JSON.stringify(await it.rows("renamed")).includes("for the old name"));
    await warned(it, "renamed");
    assert.equal((await it.write("POST", "renamed", { note: "x" })).status, 422);
    assert.equal((await it.ended(await it.taken("POST", "renamed", { remark: "the new name" }))).state, "landed");
  },

  async "a column that the tables file names is renamed by hand: writes wait until it is there again"(it) {
    await read(it, "named");
    await it.type("named!D1", [["remark"]]);
    const added = await it.taken("POST", "named", { id: "n1", name: "new", note: "for note" });
    const changed = await it.taken("PATCH", "named/p1", { note: "changed" });
    await eventually("status says why", async () => {
      const report = (await it.daemon.status()).upstream;
      return report?.tables.some(({ name, failure }) => name === "named" && /no column "note"/.test(failure ?? "")) && report;
    });
    assert.deepEqual(await it.rows("named"), [["id", "name", "score", "remark"], ...ROWS.slice(1)]);
    assert.equal((await it.told(added.id)).state, "journaled");
    await it.type("named!D1", [["note"]]);
    assert.deepEqual([(await it.ended(added)).state, (await it.ended(changed)).state], ["landed", "landed"]);
    const rows = await it.rows("named");
    assert.deepEqual([rows[1]?.[3], rows.at(-1)], ["changed", ["n1", "new", "", "for note"]]);
  },

  async "a column inserted by hand: every value lands under its name"(it) {
    await read(it, "inserted");
    await it.hand({ insertDimension: { range: columns(await it.sheetId("inserted"), 1) } });
    const writes = [
      await it.taken("POST", "inserted", { id: "i1", name: "new", score: 7, note: "n" }),
      await it.taken("PATCH", "inserted/p2", { note: "changed", score: 20 }),
      await it.taken("DELETE", "inserted/p3"),
    ];
    for (const write of writes) assert.equal((await it.ended(write)).state, "landed");
    // The new row may stand in the place of the deleted one: Google refuses its first batch, whose columns have moved.
    const filled = (await it.rows("inserted")).filter((row) => row.length > 0);
    assert.deepEqual(filled, [
      ["id", "", "name", "score", "note"],
      ["p1", "", "Ada", 1, "first"],
      ["p2", "", "Bob", 20, "changed"],
      ["i1", "", "new", 7, "n"],
    ]);
  },

  async "a key doubled by hand: told, reads give the upper row, and changes of it are 409"(it) {
    await read(it, "doubled");
    await it.type("doubled!A5:D5", [["p1", "Another", 9, "double"]]);
    await warned(it, "doubled");
    assert.equal((JSON.parse((await read(it, "doubled/p1")).body) as { row: { name: string } }).row.name, "Ada");
    for (const [method, body] of [
      ["PATCH", { note: "x" }],
      ["DELETE", undefined],
    ] as const) {
      const answer = await it.write(method, "doubled/p1", body);
      assert.deepEqual([answer.status, problem(answer.body).code], [409, "duplicate-key"]);
    }
    assert.equal((await it.write("POST", "doubled", { id: "p1" })).status, 409);
    assert.equal((await it.ended(await it.taken("PATCH", "doubled/p2", { note: "another's" }))).state, "landed");
    assert.deepEqual((await it.rows("doubled"))[4], ["p1", "Another", 9, "double"]);
  },

  async "a tab renamed while writes wait, and renamed back: they wait, it is told why, and they land"(it) {
    await read(it, "moved");
    const sheetId = await it.sheetId("moved");
    await it.hand({ updateSheetProperties: { properties: { sheetId, title: "archive" }, fields: "title" } });
    const added = await it.taken("POST", "moved", { id: "m1", name: "new" });
    const changed = await it.taken("PATCH", "moved/p1", { note: "changed" });
    await eventually("status says why", async () => {
      const { upstream } = await it.daemon.status();
      return upstream?.tables.some(({ name, failure }) => name === "moved" && failure !== undefined);
    });
    await it.hand({ updateSheetProperties: { properties: { sheetId, title: "moved" }, fields: "title" } });
    await purge(it, "moved");
    assert.deepEqual([(await it.ended(added)).state, (await it.ended(changed)).state], ["landed", "landed"]);
    const rows = await it.rows("moved");
    assert.deepEqual([rows[1]?.[3], rows.at(-1)], ["changed", ["m1", "new"]]);
  },

  async "a tab deleted while writes wait, and made anew: nothing is lost"(it) {
    await read(it, "deleted");
    await it.hand({ deleteSheet: { sheetId: await it.sheetId("deleted") } });
    const added = await it.taken("POST", "deleted", { id: "d1", name: "new" });
    await eventually("status says why", async () =>
      (await it.daemon.status()).upstream?.tables.some(({ name, failure }) => name === "deleted" && failure !== undefined),
    );
    assert.equal((await it.told(added.id)).state, "journaled");
    assert.match((await read(it, "deleted/d1")).body, /"new"/, "who reads has it all the while");
    await it.hand({ addSheet: { properties: { title: "deleted" } } });
    await it.type("deleted!A1:D1", [HEADER]);
    await purge(it, "deleted");
    assert.equal((await it.ended(added)).state, "landed");
    assert.deepEqual(await it.rows("deleted"), [HEADER, ["d1", "new"]]);
  },

  async "rows sorted, inserted and deleted by hand before every other call: each value in its row"(it) {
    await read(it, "sorted");
    const added = await Promise.all(
      Array.from({ length: 20 }, (_, i) => it.taken("POST", "sorted", { id: `s${i}`, name: `n${i}`, score: i })),
    );
    for (const write of added) await it.ended(write);
    it.emulator.order("sort=sorted,column=B,descending,every=8;insert=sorted,row=2,count=2,every=8,skip=2");
    it.emulator.order("sort=sorted,column=C,every=8,skip=4;delete=sorted,row=2,every=8,skip=6");
    const changed = await Promise.all(Array.from({ length: 20 }, (_, i) => it.taken("PATCH", `sorted/s${i}`, { note: `note ${i}` })));
    for (const write of changed) assert.equal((await it.ended(write)).state, "landed");
    it.emulator.faults.clear();
    const rows = (await it.rows("sorted")).filter(([id]) => String(id).startsWith("s"));
    assert.equal(rows.length, 20);
    assert.deepEqual(new Map(rows.map(([id, , , note]) => [id, note])), new Map(rows.map(([id]) => [id, `note ${String(id).slice(1)}`])));
  },
};

/** Adds rows to the ballast until the spreadsheet takes no further one. */
async function fillUp(it: Book): Promise<void> {
  const sheetId = await it.sheetId("ballast");
  for (let length = 1_048_576; length >= 1; length = Math.floor(length / 2))
    await it.hand({ appendDimension: { sheetId, dimension: "ROWS", length } }).catch(() => {});
}

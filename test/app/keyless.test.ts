/** Rows of a table without a key column, over HTTP. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { rowId } from "../../src/sheets/rowids.ts";
import type { Cell } from "../../src/sheets/snapshot.ts";
import { Sheet, world } from "./world.ts";

const COLUMNS = ["Name", "Brings"].map((name) => ({ name, type: "auto" as const }));
const ROWS: Cell[][] = [["Ada", "cake"], ["Ada", "cake"], [null, "plates"]]; // prettier-ignore

test("its rows show no id, and each is found by its own; it outlives other rows, and names nothing that can be changed", async () => {
  const sheet = new Sheet();
  sheet.keyless("signups", COLUMNS, ROWS);
  sheet.grant("signups", { append: "public" });
  await using w = await world(sheet);
  const get = async (path: string) => {
    const response = await fetch(`${w.url}/api/tables${path}`);
    return { status: response.status, etag: response.headers.get("etag"), body: (await response.json()) as Record<string, unknown> };
  };
  const { body: list } = await get("");
  assert.deepEqual(list["tables"], [
    { name: "signups", key: null, keyNamed: false, columns: COLUMNS, read: "everybody", append: "everybody" },
  ]);
  const ada = { Name: "Ada", Brings: "cake" };
  assert.deepEqual((await get("/signups")).body["rows"], [ada, ada, { Name: null, Brings: "plates" }]);
  const id = rowId(["Ada", "cake"]);
  const found = await get(`/signups/${id}`);
  assert.deepEqual([found.status, found.body["row"]], [200, ada]);
  assert.equal((await get(`/signups/${id}.2`)).status, 200);
  for (const none of [`${id}.3`, "Ada", "null", ""]) assert.equal((await get(`/signups/${none}`)).status, 404, none);
  assert.equal((await get(`/signups/${rowId([null, "plates"])}`)).status, 200);
  sheet.push("signups", COLUMNS, [["Kim", null], ...ROWS.slice(1)]); // prettier-ignore
  assert.equal((await get(`/signups/${id}`)).etag, found.etag, "the same row, wherever it stands");
  assert.equal((await get(`/signups/${id}.2`)).status, 404);
  const patch = await fetch(`${w.url}/api/tables/signups/${id}`, { method: "PATCH", body: "{}" });
  assert.deepEqual([patch.status, patch.headers.get("allow")], [405, "GET, HEAD, OPTIONS"]);
});

test("pages of rows without keys follow each other over a change above them", async () => {
  const sheet = new Sheet();
  const rows = Array.from({ length: 30 }, (_, i): Cell[] => [`n${i % 7}`, `b${i}`]);
  sheet.keyless("signups", COLUMNS, rows);
  await using w = await world(sheet);
  const page = async (more = ""): Promise<{ rows: Record<string, unknown>[]; next: string }> =>
    (await (await fetch(`${w.url}/api/tables/signups?limit=10${more}`)).json()) as { rows: Record<string, unknown>[]; next: string };
  const first = await page();
  sheet.push("signups", COLUMNS, [["new", "above"], ...rows]);
  const second = await page(`&cursor=${first.next}`);
  assert.deepEqual(
    second.rows.map((row) => row["Brings"]),
    rows.slice(10, 20).map(([, brings]) => brings),
  );
});

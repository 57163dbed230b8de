/** How much anonymous users can add: from one address, and from many together. */
import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { DEFAULT_MAX_BYTES, DEFAULT_MAX_ROWS } from "../../src/sheets/growth.ts";
import { minutes } from "../../src/base/units.ts";
import { NO_LIMITS } from "../../src/app/limits/rules.ts";
import { createTables } from "../../src/sheets/client.ts";
import { directTransport } from "../../src/sheets/direct-transport.ts";
import { whole, type Whole } from "../broker/whole.ts";
import { Sheet, world, type World } from "./world.ts";

const HEADER = ["id", "text"];
const LIMITS = { ...NO_LIMITS, write: { most: 100, per: minutes(1) } };

interface Opened {
  readonly sheet: Whole;
  readonly w: World;
}

async function open(t: TestContext, said: object = {}): Promise<Opened> {
  const table = { read: "public", append: "public", update: "public", ttl: "30s", ...said };
  const sheet = await whole(t, { log: [HEADER, ["k1", "x"]] }, { log: table });
  const tables = createTables(directTransport(sheet.broker));
  const w = await world(new Sheet(), undefined, { tables, limits: LIMITS });
  t.after(async () => {
    await w[Symbol.asyncDispose]();
    tables.close();
  });
  await tables.table("log");
  return { sheet, w };
}

let made = 0;
const rowsOf = (count: number, bytes: number): readonly object[] =>
  Array.from({ length: count }, () => ({ id: `r${(made += 1)}`, text: "x".repeat(bytes) }));

interface Answer {
  readonly status: number;
  readonly body: { readonly code?: string; readonly detail?: string };
}

async function post({ w }: Opened, address: string, rows: readonly object[]): Promise<Answer> {
  const headers = { "content-type": "application/json", "x-test-address": address };
  const answer = await fetch(`${w.url}/api/tables/log`, { method: "POST", headers, body: JSON.stringify(rows) });
  return { status: answer.status, body: (await answer.json()) as Answer["body"] };
}

test("one address adds at most a thousand rows a minute, in however few requests", async (t) => {
  const opened = await open(t);
  let [accepted, refused] = [0, 0];
  for (let i = 0; i < 10; i += 1) {
    const { status, body } = await post(opened, "203.0.113.7", rowsOf(500, 10));
    if (status === 201) accepted += 500;
    else {
      refused += 1;
      assert.deepEqual([status, body.code], [429, "rate-limited"]);
    }
  }
  assert.ok(accepted > 0 && accepted <= 1_000, `${accepted} rows`);
  assert.equal((await post(opened, "192.0.2.1", rowsOf(1, 10))).status, 201, "another address");
});

test("many addresses fill a table up to its limit, and not beyond what can be read", async (t) => {
  const opened = await open(t);
  let bytes = 0;
  let full: Answer | undefined;
  for (let i = 0; i < 60 && full === undefined; i += 1) {
    const answer = await post(opened, `203.0.${i}.7`, rowsOf(20, 47_500));
    if (answer.status === 201) bytes += 20 * 47_500;
    else full = answer;
  }
  assert.deepEqual([full?.status, full?.body.code], [422, "table-full"]);
  assert.match(full?.body.detail ?? "", new RegExp(`maxBytes.*${DEFAULT_MAX_BYTES}`));
  assert.ok(bytes <= DEFAULT_MAX_BYTES, `${bytes} bytes`);
  assert.equal((await post(opened, "192.0.2.1", rowsOf(1, 10))).status, 201, "a row that still fits");
  assert.deepEqual(opened.sheet.broker.refresh("log"), ["log"]);
  assert.equal(await opened.sheet.broker.want("log"), undefined, "it can be read");
  const fill = opened.sheet.broker.report().tables[0]?.fill ?? 0;
  assert.ok(fill > 80, `${fill} %`);
});

test("maxRows counts what is in the sheet and what waits for it; a delete makes room, and 100,000 may be set", async (t) => {
  const opened = await open(t, { maxRows: 3, key: "id" });
  assert.equal((await post(opened, "a", rowsOf(1, 1))).status, 201);
  const two = await post(opened, "a", rowsOf(2, 1));
  assert.deepEqual([two.status, two.body.code], [422, "table-full"]);
  assert.match(two.body.detail ?? "", /maxRows.*3/);
  assert.equal((await post(opened, "a", rowsOf(1, 1))).status, 201);
  assert.equal((await post(opened, "a", rowsOf(1, 1))).status, 422);
  const patched = await fetch(`${opened.w.url}/api/tables/log/k1`, {
    method: "PATCH",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ text: "changed" }),
  });
  assert.equal(patched.status, 200, "a change that adds nothing is taken");
  assert.equal((await fetch(`${opened.w.url}/api/tables/log/k1`, { method: "DELETE" })).status, 200);
  assert.equal((await post(opened, "a", rowsOf(1, 1))).status, 201);
  await open(t, { maxRows: 100_000 });
  assert.ok(DEFAULT_MAX_ROWS < 100_000);
});

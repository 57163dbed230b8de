/** A spreadsheet that is shared with the service account as Viewer: rows are read, and no write is acknowledged that can't land. */
import assert from "node:assert/strict";
import test from "node:test";
import { EMAIL } from "../../src/tools/emulator/service-account.ts";
import { SPREADSHEET } from "../broker/upstream.ts";
import { book } from "./book.ts";
import { get } from "./harness.ts";
import { eventually } from "../support/wait.ts";

const TABS = {
  stock: {
    rows: [
      ["id", "count"],
      ["a", 1],
    ] as (string | number)[][],
    table: { key: "id" },
  },
};
const SENTENCE = `share it as Editor with ${EMAIL}`;

const health = async (url: string): Promise<string> => (JSON.parse((await get(`${url}/healthz`)).body) as { status: string }).status;

test("shared as Viewer: the first write is refused with what to do, health is degraded, and writes go once it is shared as Editor", async (t) => {
  const { daemon, emulator, write, taken, ended, rows } = await book(t, TABS, { DROVER_WORKERS: "1" });
  await eventually("rows are there", async () => (await get(`${daemon.url}/api/tables/stock`)).status === 200);
  emulator.share(SPREADSHEET, "viewer");
  const { status, body } = await write("POST", "stock", { id: "b", count: 2 });
  assert.equal(status, 503);
  const problem = JSON.parse(body.toString()) as { detail: string };
  assert.ok(problem.detail.includes(SENTENCE), problem.detail);
  await eventually("health is degraded", async () => (await health(daemon.url)) === "degraded");
  assert.ok((await daemon.status()).upstream?.writes?.denied?.includes(SENTENCE));
  assert.equal((await get(`${daemon.url}/api/tables/stock`)).status, 200);
  await eventually("the alert fires", async () =>
    (await daemon.status()).alerts.some(({ name, text }) => name === "credentials" && text.includes(SENTENCE)),
  );
  emulator.share(SPREADSHEET, "editor");
  await eventually("a write is taken", async () => (await write("POST", "stock", { id: "c", count: 3 })).status === 201);
  await ended(await taken("PATCH", "stock/c", { count: 4 }));
  assert.deepEqual((await rows("stock")).slice(1), [
    ["a", 1],
    ["c", 4],
  ]);
  await eventually("health is ok", async () => (await health(daemon.url)) === "ok");
  emulator.share(SPREADSHEET, "viewer");
  await write("PATCH", "stock/a", { count: 5 });
  await eventually("writes are refused again", async () => (await write("PATCH", "stock/a", { count: 6 })).status === 503);
});

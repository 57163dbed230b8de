import assert from "node:assert/strict";
import test from "node:test";
import { failureOf } from "../../src/broker/answers.ts";
import { fitting } from "../../src/broker/fitting.ts";
import { newPlace } from "../../src/broker/place.ts";
import { parseTables } from "../../src/sheets/tables.ts";
import { ms, type Instant, type Timestamp } from "../../src/base/units.ts";

test("as many ranges go into one call as its URL may carry, as they stand in it: a character may take nine", () => {
  for (const tab of ["A", "É", "雪", "🎿", "\ud800"]) {
    const range = tab.repeat(40);
    const said = { tables: Object.fromEntries(Array.from({ length: 100 }, (_, nr) => [`t${nr}`, { range, key: "id" }])) };
    const places = parseTables(JSON.stringify(said), "tables.json", ms(1_000)).map((table) => newPlace(table, undefined, 0 as Instant));
    const taken = fitting(places, 1_000);
    const url = taken.map(({ table }) => `&ranges=${encodeURIComponent(`'${table.range.toWellFormed()}'`)}`).join("");
    assert.ok(taken.length > 0 && url.length <= 6_500, `${tab}: ${taken.length} ranges are ${url.length} characters`);
  }
});

test("414 is a call too large, which is asked again in parts, and no answer that can't be read", () => {
  const context = { share: "", now: 0 as Timestamp, pool: "read" } as const;
  assert.equal(failureOf({ status: 414, data: "URI too long" }, context).is, "tooLarge");
});

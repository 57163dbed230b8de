// alone
/** Long nonsense in a query string, in milliseconds. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { parseQuery } from "../../../src/app/query/parse.ts";

test("a long bracket soup takes no time", () => {
  const before = performance.now();
  parseQuery(`filter[${"][".repeat(4_000)}`);
  parseQuery(`filter[${"]".repeat(8_000)}`);
  assert.ok(performance.now() - before < 200);
});

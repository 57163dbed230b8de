import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import test from "node:test";
import { PAGE, proofs, render } from "./page.ts";
import { OPEN, ROWS } from "./rows.ts";

const root = resolve(import.meta.dirname, "..", "..");

test("every row of the source documents has a test of its number, but for those that say what they wait for", () => {
  const found = proofs(root);
  const without = ROWS.map(({ nr }) => nr).filter((nr) => !found.has(nr));
  console.log(`${ROWS.length - without.length} of ${ROWS.length} rows have a test`);
  assert.deepEqual(without, Object.keys(OPEN));
  const known = new Set(ROWS.map(({ nr }) => nr));
  assert.deepEqual(
    [...found.keys()].filter((nr) => !known.has(nr)),
    [],
    "tests with the number of no row",
  );
});

test("the requirements page is what npm run docs writes", () => {
  assert.equal(readFileSync(join(root, PAGE), "utf8"), render(root), "run: npm run docs");
});

/** How much of Google's answer a table's values are. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { valuesBytes } from "../../src/sheets/growth.ts";

for (const cell of ["text", '"', "\\", "\n", "\u0001", "é", "😀", "<", "", 0.1234567890123456, 7, -1e21, true, false])
  test(`the bytes of ${JSON.stringify(cell)} are those of JSON`, () => {
    const value = typeof cell === "string" ? cell.repeat(100) : cell;
    const values = Array.from({ length: 50 }, () => Array.from({ length: 20 }, () => value));
    const answered = Buffer.byteLength(JSON.stringify(values).replaceAll("<", "\\u003c")); // as Google's services write it
    const counted = valuesBytes(values);
    assert.ok(counted >= answered - 2 && counted <= answered + 3 * values.length, `${counted} counted, ${answered} answered`);
  });

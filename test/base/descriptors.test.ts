import assert from "node:assert/strict";
import { closeSync, openSync, readdirSync } from "node:fs";
import { test } from "node:test";
import { holdReserve, insideReserve, requireDescriptors, residentMemory, withReserve } from "../../src/base/descriptors.ts";

const open = (): number => readdirSync("/proc/self/fd").length;
const refusal = (code: string): Error => Object.assign(new Error(`${code}: too many open files`), { code });

test("a call that finds no descriptor gets the reserve, and the reserve is there again afterwards", () => {
  const without = open();
  holdReserve(4);
  assert.equal(open(), without + 4);
  for (const code of ["EMFILE", "ENFILE"]) {
    const seen: number[] = [];
    const answer = withReserve(() => {
      seen.push(open());
      if (seen.length === 1) throw refusal(code);
      return "read";
    });
    assert.deepEqual([answer, seen], ["read", [without + 4, without]], code);
    assert.equal(open(), without + 4, code);
  }
  let tries = 0;
  assert.throws(() => withReserve(() => ((tries += 1), assert.fail("another error"))), /another error/);
  assert.equal(tries, 1, "other errors are not tried again");
  assert.throws(() => withReserve(() => { throw refusal("ENFILE"); }), /ENFILE/); // prettier-ignore
  const kept = insideReserve(() => openSync("/dev/null", "r"));
  assert.equal(open(), without + 5, "what a call keeps is not taken from the reserve for long");
  closeSync(kept);
  requireDescriptors(10);
  assert.equal(open(), without + 4);
});

test("memory is read without an exception, or unknown", (t) => {
  assert.ok((residentMemory() ?? 0) > 1e6);
  t.mock.method(process.memoryUsage, "rss", () => { throw refusal("EMFILE"); }); // prettier-ignore
  assert.equal(residentMemory(), undefined);
});

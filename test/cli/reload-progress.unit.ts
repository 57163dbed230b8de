import assert from "node:assert/strict";
import test from "node:test";
import { createProgress, type Shown } from "../../src/cli/reload-command.ts";

const at = (done: number, step: Shown["step"] = "rolls"): Shown => ({
  generation: 4,
  left: Array.from({ length: 8 - done }, (_, nr) => `worker/${nr}` as const),
  total: 8,
  step,
});
const shown = (terminal: boolean, ...rolls: Shown[]): string => {
  let text = "";
  const progress = createProgress((more) => void (text += more), terminal);
  for (const roll of rolls) progress.show(roll);
  progress.end(rolls.at(-1)?.step === "rolls");
  return text;
};

test("on a terminal a bar is drawn over itself; elsewhere a line whenever something changes", () => {
  assert.equal(
    shown(false, at(0, "is tried"), at(1), at(1), at(2)),
    "0/8 generation 4 is tried\n1/8 generation 4\n2/8 generation 4\n8/8 generation 4\n",
  );
  assert.equal(
    shown(true, at(0, "is tried"), at(4), at(4)),
    `\r\u001b[K[${".".repeat(24)}] 0/8 generation 4 is tried` +
      `\r\u001b[K[${"#".repeat(12)}${".".repeat(12)}] 4/8 generation 4` +
      `\r\u001b[K[${"#".repeat(24)}] 8/8 generation 4\n`,
  );
});

test("what is rolled back does not end full", () => {
  assert.equal(shown(false, at(2), at(6, "is rolled back")), "2/8 generation 4\n6/8 generation 4 is rolled back\n");
});

test("more left than there are places (some were given up meanwhile) is no progress, not a negative one", () => {
  assert.match(shown(true, { ...at(0), total: 2 }), /\[\.{24}\] 0\/2/);
  assert.match(shown(true, { ...at(8), total: 0 }), /\[#{24}\] 0\/0/);
});

import assert from "node:assert/strict";
import test from "node:test";
import { undoAll } from "../../src/cli/undo.ts";

test("what a start has done is undone, the last first; a step that fails is told and keeps none of the others", () => {
  const done: string[] = [];
  const told: string[] = [];
  const log = { error: (_: unknown, text?: string) => void told.push(text ?? "") };
  const steps = [
    () => done.push("the lock"),
    () => {
      throw new Error("EACCES: permission denied");
    },
    () => done.push("the socket"),
  ];
  undoAll(steps, log);
  assert.deepEqual(done, ["the socket", "the lock"]);
  assert.deepEqual(told, ["something of the start is left behind: EACCES: permission denied"]);
  undoAll(steps, log);
  assert.equal(done.length, 2, "each once");
});

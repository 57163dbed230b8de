import assert from "node:assert/strict";
import test from "node:test";
import { stopStep } from "../../src/cli/stopping.ts";

test("what a signal does to a stop that is under way", () => {
  const graceful = { quick: false, at: 0 };
  const quick = { quick: true, at: 0 };
  const cases = [
    [undefined, graceful, "begin"],
    [undefined, quick, "begin"],
    [graceful, { quick: false, at: 900 }, "none"],
    [graceful, { quick: true, at: 10 }, "hurry"],
    [graceful, { quick: true, at: 1_100 }, "kill"],
    [graceful, { quick: false, at: 1_100 }, "kill"],
    [quick, { quick: true, at: 500 }, "none"], // npm passes on the SIGINT that the terminal has sent already
    [quick, { quick: false, at: 500 }, "none"],
    [quick, { quick: true, at: 1_100 }, "kill"],
  ] as const;
  for (const [before, now, step] of cases) assert.equal(stopStep(before, now), step, JSON.stringify([before, now]));
});

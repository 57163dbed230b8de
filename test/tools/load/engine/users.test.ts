/** The closed model, at a server that counts. */
import assert from "node:assert/strict";
import test from "node:test";
import { seconds } from "../../../../src/base/units.ts";
import { held } from "../../../../src/load/shape.ts";
import { pick, random } from "../../../../src/tools/load/engine/random.ts";
import { eventually } from "../../../support/wait.ts";
import { runner, serve } from "../generator.ts";

test("users begin in the middle of an action, each elsewhere, and the same seed repeats it", async (t) => {
  const action = { name: "a", weight: 1, requests: 10, thinkMs: 0, restMs: 100_000_000 };
  const users = 20;
  const left = Array.from({ length: users }, (_, number) => {
    const chance = random(1, number);
    pick([action], chance);
    return Math.ceil(action.requests * chance());
  });
  // Who begins with a whole action rests first.
  const expected = left.filter((requests) => requests < action.requests);
  assert.ok(new Set(expected).size > 5, left.join());
  let asked = 0;
  const bySocket = new Map<unknown, number>();
  const { target } = await serve(t, (req, res) => {
    asked += 1;
    bySocket.set(req.socket, (bySocket.get(req.socket) ?? 0) + 1);
    res.end("x");
  });
  const load = runner(target, { traffic: { actions: [action] } });
  const step = load.step(held("closed", users, seconds(60)), 1);
  const sum = expected.reduce((a, b) => a + b, 0);
  await eventually("the actions that had begun are done", () => asked >= sum);
  load.interrupt();
  await step;
  await load.end();
  const byUser = (a: number, b: number): number => a - b;
  assert.deepEqual([...bySocket.values()].sort(byUser), expected.toSorted(byUser));
});

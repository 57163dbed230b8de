/** On the emulator, as it is, every assumption holds: it was made to be what they say. */
import assert from "node:assert/strict";
import test from "node:test";
import { ASSUMPTION_IDS, ASSUMPTIONS, type Assumption } from "../../../src/cli/doctor/sheets/assumptions.ts";
import { countsText } from "../../../src/cli/doctor/sheets/report.ts";
import { emulated, examined, ID, ports } from "./world.ts";

test("all that can be asked without more is confirmed, and nothing is left behind", async (t) => {
  const world = await emulated(t);
  const found = await examined(ports(t, world));
  const asked = ASSUMPTION_IDS.filter((id) => (ASSUMPTIONS[id] as Assumption).asks === undefined);
  assert.deepEqual(
    [...found.findings].filter(([id, { is }]) => asked.includes(id) && is !== "confirmed"),
    [],
  );
  assert.deepEqual(found.confirmed, asked);
  assert.equal(found.left, undefined);
  assert.deepEqual(await world.emulator.metadata(ID), []);
  assert.deepEqual(await world.emulator.rows(ID, "Sheet1"), []);
  assert.match(
    countsText(found.findings),
    new RegExp(`^listed ${ASSUMPTION_IDS.length}, confirmed ${asked.length}, falsified 0, not tested`),
  );
  t.diagnostic(`${countsText(found.findings)}; ${found.calls.read} reads, ${found.calls.write} writes`);
});

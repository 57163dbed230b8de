/** A room full of people behind one address logs in, with default settings: no login is refused because of the others. */
import assert from "node:assert/strict";
import test from "node:test";
import { start } from "./harness.ts";
import { statuses } from "./people.ts";
import { comeIn, slotsAre } from "./room-helper.ts";

test("300 people log in from one address at once: nobody is told to wait", async (t) => {
  const daemon = await start(t);
  assert.deepEqual(statuses(await comeIn(t, daemon.url, 300)), { 200: 300 });
  await slotsAre(daemon, 300);
});

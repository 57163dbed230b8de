import assert from "node:assert/strict";
import { test } from "node:test";
import { busiest, HEADER, Machine } from "./world.ts";

test("appends reach the sheet in one batch, as they are", async () => {
  const m = new Machine();
  for (let i = 0; i < 20; i += 1) m.append(`p${i}`, { n: i, name: i === 3 ? "=1+1" : "x" });
  await m.drain();
  const rows = m.google.values("Players");
  assert.deepEqual(
    rows[0],
    HEADER.map((cell) => cell),
  );
  assert.deepEqual(
    rows.slice(1).map((row) => row[0]),
    Array.from({ length: 20 }, (_, i) => `p${i}`),
  );
  assert.deepEqual(rows[4], ["p3", 3, "=1+1"]);
  assert.equal(m.google.writes.length, 3, "the proof twice, and the batch");
  assert.equal(m.flusher.report().delivery, "exactly-once");
  assert.equal(busiest(m.google.writes), 3);
});

test("updates and deletes by key", async () => {
  const m = new Machine();
  for (let i = 0; i < 5; i += 1) m.append(`p${i}`, { n: 0 });
  await m.drain();
  m.update("p1", { n: 1 });
  m.update("p1", { n: 2, name: "a" });
  m.update("p3", { n: 3 });
  m.remove("p4");
  await m.drain();
  assert.deepEqual(m.google.values("Players").slice(1), [
    ["p0", 0],
    ["p1", 2, "a"],
    ["p2", 0],
    ["p3", 3],
    ["p4", 0, "", "", true],
  ]);
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { createGenerations } from "../../src/cli/generations.ts";
import { booted } from "../master/core/world.ts";
import { resolved } from "../settings/given.ts";
import { folder } from "../support/cleanup.ts";

test("plans that nothing can run any more are dropped, though the emulator stays with the first generation", (t) => {
  const settings = resolved({ env: { DROVER_DATA_DIR: folder(t) } });
  const w = booted(2, {}, "broker", "emulator");
  const generations = createGenerations(settings, true, "http://127.0.0.1:1");
  const first = generations.plan(1);
  const plans = new Map<number, unknown>();
  for (let generation = 2; generation <= 6; generation += 1) {
    generations.adopt(settings);
    w.feed({ type: "reload", workers: undefined });
    plans.set(generation, generations.plan(generation));
    generations.forget(w.master);
    assert.equal(generations.plan(generation), plans.get(generation), "the roll leads there");
    if (generation > 2) assert.equal(generations.plan(generation - 1), plans.get(generation - 1), "the roll may lead back");
    for (let i = 0; i < 100 && w.master.roll !== undefined; i += 1) w.bootAll();
    assert.equal(w.master.roll, undefined);
    w.leave();
    generations.forget(w.master);
  }
  assert.equal(w.master.generation, 6);
  assert.equal(generations.plan(1), first, "the emulator's, for its replacement");
  assert.equal(generations.plan(6), plans.get(6));
  for (const past of [2, 3, 4, 5]) assert.notEqual(generations.plan(past), plans.get(past), `${past}`);
});

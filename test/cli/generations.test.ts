import assert from "node:assert/strict";
import { test } from "node:test";
import { createGenerations } from "../../src/cli/generations.ts";
import { reloadSettings, takeSettingsBack } from "../../src/cli/reload.ts";
import type { Logger } from "../../src/base/log.ts";
import type { Pid } from "../../src/master/core/model.ts";
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

test("a reload that is rolled back takes its settings, the log's level and the number of workers with it", (t) => {
  const env = { DROVER_DATA_DIR: folder(t) };
  const bad = "DROVER_WORKERS=4\nDROVER_MAX_SLOTS=50\nDROVER_LOG_LEVEL=debug\n";
  const before = resolved({ env, files: "DROVER_WORKERS=2\n" });
  const told: string[] = [];
  const note = (_: unknown, text?: string) => void told.push(text ?? "");
  const log = { level: "info", info: note, warn: note, error: note } as unknown as Logger;
  const w = booted(2, {}, "broker");
  const generations = createGenerations(before, true, "http://127.0.0.1:1");
  generations.plan(1);
  const reload = (files: string): string => {
    const outcome = reloadSettings(log, generations, () => resolved({ env, files }));
    assert.ok(outcome.ok, outcome.message);
    w.feed({ type: "reload", workers: outcome.workers });
    const { roll, lastRoll, generation } = w.master;
    generations.plan((roll ?? lastRoll)?.generation ?? generation); // as its first child is forked
    return outcome.message;
  };
  const follow = (): void => {
    generations.forget(w.master);
    const to = takeSettingsBack(log, generations, w.master);
    if (to !== undefined) w.feed({ type: "scale", to });
  };

  w.forksFail = 1;
  assert.equal(reload(bad), "3 settings changed");
  follow();
  assert.equal(w.master.lastRoll?.is, "rolledBack");
  assert.deepEqual([generations.settings(), w.master.target, log.level], [before.settings, 2, "info"]);
  assert.ok(told.includes("max_slots: 50 → 500, as before the reload"), told.join("\n"));
  follow();
  assert.equal(generations.plan(1).settings, before.settings);

  assert.equal(reload(bad), "3 settings changed", "it is not forgotten that they are not in force");
  follow();
  assert.equal(generations.settings().max_slots, 50, "while it rolls");
  assert.equal(reload("DROVER_WORKERS=2\nDROVER_MAX_SLOTS=60\n"), "3 settings changed");
  const [successor] = w.starting();
  w.feed({ type: "exited", pid: successor as Pid, code: 1, signal: null, fatal: undefined });
  follow();
  assert.equal(generations.settings().max_slots, 60, "a reload that was asked for meanwhile is no part of what went back");
});

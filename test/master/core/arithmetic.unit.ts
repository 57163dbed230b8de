import assert from "node:assert/strict";
import test from "node:test";
import { fc } from "../../support/fast-check.ts";
import { ms, seconds, type Instant } from "../../../src/base/units.ts";
import { backoff, random } from "../../../src/master/core/backoff.ts";
import { deadlineOf, nextDeadline } from "../../../src/master/core/deadline.ts";
import { intensity } from "../../../src/master/core/intensity.ts";
import { initialMaster, type Pid, type Slot } from "../../../src/master/core/model.ts";
import { booted } from "./world.ts";

const at = (n: number): Instant => n as Instant;

test("intensity: more than the limit within the window, and no longer history than that", () => {
  const limit = { crashes: 2, within: ms(100), unborn: 1 };
  const cases: [readonly number[], number, readonly number[], boolean][] = [
    [[], 0, [0], false],
    [[0], 100, [0, 100], false],
    [[0, 50], 100, [0, 50, 100], true],
    [[0, 50], 101, [50, 101], false],
    [[0, 10, 20], 30, [10, 20, 30], true],
    [[0, 1, 2], 1_000, [1_000], false],
  ];
  for (const [history, now, crashes, exceeded] of cases)
    assert.deepEqual(intensity(history.map(at), at(now), limit), { crashes, exceeded }, JSON.stringify([history, now]));
  assert.equal(intensity([], at(0), { crashes: 0, within: ms(100), unborn: 1 }).exceeded, true, "a limit of 0 tolerates none");
});

test("back-off doubles up to its most, and jitters between half and whole", () => {
  fc.assert(
    fc.property(fc.nat(2_000), fc.integer(), (n, seed) => {
      const range = { base: seconds(1), max: seconds(30) };
      const { wait, seed: next } = backoff(n, range, seed);
      const whole = Math.min(30_000, 1_000 * 2 ** n);
      assert.ok(wait >= whole / 2 && wait <= whole, `${wait} of ${whole}`);
      assert.notEqual(next, seed);
      assert.deepEqual(backoff(n, range, seed), { wait, seed: next });
    }),
  );
});

test("the generator spreads evenly enough and does not repeat soon", () => {
  const tenths = Array.from({ length: 10 }, () => 0);
  const seen = new Set<number>();
  let seed = 7;
  for (let i = 0; i < 10_000; i += 1) {
    const drawn = random(seed);
    seed = drawn.seed;
    seen.add(seed);
    tenths[Math.floor(drawn.share * 10)]! += 1;
  }
  assert.equal(seen.size, 10_000);
  for (const count of tenths) assert.ok(count > 850 && count < 1_150, tenths.join(" "));
});

test("every state that holds a process has a deadline, and no other has but waiting", () => {
  const child = { pid: 1 as Pid, generation: 1 };
  const living = { ...child, beatTimeout: ms(3) };
  const slots: [Slot, number | undefined][] = [
    [{ is: "vacant" }, undefined],
    [{ is: "spawning", generation: 1 }, undefined],
    [{ is: "waiting", until: at(1) }, 1],
    [{ is: "starting", ...living, readyBy: at(2), crowdsUntil: undefined }, 2],
    [{ is: "ready", ...living, since: at(0), beatBy: at(3) }, 3],
    [{ is: "examined", ...living, since: at(0), examineBy: at(4) }, 4],
    [{ is: "draining", ...child, exitBy: at(5), why: "roll" }, 5],
    [{ is: "killed", ...child, reapBy: at(6), why: "stuck" }, 6],
  ];
  for (const [slot, due] of slots) assert.equal(deadlineOf(slot), due, slot.is);
});

test("the timer is armed for the least deadline, in any seat, and for the end of a stop", () => {
  assert.equal(nextDeadline(initialMaster(1)), undefined);
  const w = booted(2);
  assert.equal(nextDeadline(w.master), w.now + 30_000);
  w.feed({ type: "reload", workers: undefined });
  w.now = at(w.now + 10);
  w.beat(...w.pids("ready"));
  assert.equal(nextDeadline(w.master), w.now + 30_000);
  w.feed({ type: "stop", quick: true });
  assert.equal(nextDeadline(w.master), w.now + 5_000);
});

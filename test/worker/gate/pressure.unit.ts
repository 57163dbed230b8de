import assert from "node:assert/strict";
import { test } from "node:test";
import { fc } from "../../support/fast-check.ts";
import type { RequestClass } from "../../../src/base/requestclass.ts";
import { ms, type Instant } from "../../../src/base/units.ts";
import { LOOK_EVERY, MOST_PRESSURE, Pressure } from "../../../src/worker/gate/pressure.ts";

/** Looks at the loop as the stage does: each look comes as late as the loop is. */
class Loop {
  readonly pressure = new Pressure();
  at = 0;
  run(late: number, forMs: number, asked: readonly RequestClass[] = ["export", "write", "read"]): Pressure {
    for (const end = this.at + forMs; this.at < end;) {
      for (const kind of asked) this.pressure.asked(kind);
      this.at += LOOK_EVERY + late;
      this.pressure.look(ms(late), this.at as Instant);
    }
    return this.pressure;
  }
}

test("a loop that is in time turns nothing away, and neither does one that is late now and then", () => {
  const loop = new Loop();
  assert.equal(loop.run(5, 10_000).isOff, true);
  for (let i = 0; i < 50; i += 1) {
    loop.run(400, 1); // a large answer, a collection of garbage
    loop.run(5, 200);
  }
  assert.equal(loop.pressure.isOff, true);
});

test("3.4: a standing delay turns exports away first, then writes, then reads; never logins, health checks and the operator", () => {
  const loop = new Loop();
  const seen: string[] = [];
  for (let i = 0; i < 100; i += 1) {
    const { pressure } = { pressure: loop.run(200, 100) };
    const gone = (["export", "write", "read", "login", "health", "admin"] as const).filter((kind) => pressure.sheds(kind, 0.5)).join();
    if (gone !== seen.at(-1)) seen.push(gone);
  }
  assert.deepEqual(seen, ["", "export", "export,write", "export,write,read"]);
  assert.equal(loop.pressure.level, MOST_PRESSURE);
});

test("hysteresis: between too late and well all stays as it is, and the way back is slower than the way there", () => {
  const loop = new Loop();
  const { level } = loop.run(200, 1_500);
  assert.ok(level > 0.5 && level < 3, String(level));
  assert.equal(loop.run(70, 5_000).level, level);
  loop.run(5, 500);
  assert.ok(loop.pressure.level > level / 2);
  assert.equal(loop.run(5, 30_000).isOff, true);
});

test("a class that nobody asks for is passed over, on the way there and back", () => {
  const loop = new Loop();
  const { pressure } = { pressure: loop.run(200, 1_250, ["read"]) };
  assert.equal(pressure.sheds("read", 0.1), true, `level ${pressure.level}`);
  assert.equal(pressure.sheds("read", 0.99), false);
  assert.equal(loop.run(5, 3_500, ["read"]).isOff, true);
});

test("a process that was stopped for long concludes nothing from it", () => {
  const loop = new Loop();
  loop.run(5, 1_000);
  assert.equal(loop.run(60_000, 1).isOff, true);
});

test("whatever the delays, the level stays within its bounds, and a class is never turned away before the one that goes first", () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.integer({ min: 0, max: 5_000 }), fc.integer({ min: 1, max: 3_000 }))),
      fc.double({ min: 0, max: 0.999, noNaN: true }),
      (parts, lot) => {
        const loop = new Loop();
        for (const [late, forMs] of parts) {
          const pressure = loop.run(late, forMs);
          assert.ok(pressure.level >= 0 && pressure.level <= MOST_PRESSURE);
          const [reads, writes, exports] = (["read", "write", "export"] as const).map((kind) => pressure.sheds(kind, lot));
          assert.ok(!(reads && !writes) && !(writes && !exports));
        }
      },
    ),
  );
});

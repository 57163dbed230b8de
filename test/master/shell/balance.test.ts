import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import type { Clock } from "../../../src/base/clock.ts";
import { ms, type Instant } from "../../../src/base/units.ts";
import { createBalance, shareOf } from "../../../src/master/shell/balance.ts";
import type { Child } from "../../../src/master/shell/children.ts";
import type { Master } from "../../../src/master/core/model.ts";

test("the share is the mean, and there is none for one alone", () => {
  assert.equal(shareOf([]), null);
  assert.equal(shareOf([7]), null);
  assert.equal(shareOf([0, 3, 6]), 3);
});

/** Workers as the shell knows them, on a clock moved by hand. */
function world(t: TestContext, counts: readonly number[], cpus = 2) {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  let now = 0;
  const told: (number | null)[][] = counts.map(() => []);
  const rooms: boolean[][] = counts.map(() => []);
  const standby: boolean[][] = counts.map(() => []);
  const children = new Map<number, Child>();
  const places = new Map<string, unknown>();
  for (const [nr, staying] of counts.entries()) {
    const pid = 100 + nr;
    const heard = (m: { connections: number | null; room: boolean; standby: boolean }): void => {
      told[nr]?.push(m.connections);
      rooms[nr]?.push(m.room);
      standby[nr]?.push(m.standby);
    };
    const process = { connected: true, send: heard };
    children.set(pid, { pid, role: "worker", staying, full: false, process, beatEvery: ms(1_000), lastBeatAt: 0 as Instant } as never);
    places.set(`worker/${nr}`, {
      id: `worker/${nr}`,
      role: "worker",
      nr,
      incumbent: { is: "ready", pid },
      successor: { is: "vacant" },
      leaving: [],
    });
  }
  const balance = createBalance({
    clock: { now: () => now as Instant } as Clock,
    children,
    state: () => ({ places }) as unknown as Master,
    cpus,
  });
  return {
    told,
    rooms,
    standby,
    child: (nr: number) => children.get(100 + nr) as { -readonly [K in keyof Child]: Child[K] },
    gone: (nr: number) => void children.delete(100 + nr),
    setState: (nr: number, is: string) => void ((places.get(`worker/${nr}`) as { incumbent: { is: string } }).incumbent.is = is),
    changed() {
      balance.changed();
      t.mock.timers.tick(10);
    },
    now: () => now as Instant,
    at: (instant: number) => void (now = instant),
  };
}

test("all hear of the mean, once, and again when it has moved by half a connection", (t) => {
  const w = world(t, [4, 0, 2]);
  w.changed();
  w.changed();
  assert.deepEqual(w.told, [[2], [2], [2]]);
  w.child(1).staying = 1;
  w.changed();
  assert.deepEqual(w.told[0], [2], "a third is no news");
  w.child(1).staying = 3;
  w.changed();
  assert.deepEqual(w.told[0], [2, 3]);
});

test("a worker that has gone silent, drains or is gone is no measure for the others", (t) => {
  const w = world(t, [10, 10, 0, 1]);
  w.setState(3, "draining");
  w.at(2_400);
  w.changed();
  assert.deepEqual(w.told, [[20 / 3], [20 / 3], [20 / 3], []]);
  w.at(3_000);
  for (const nr of [0, 1]) w.child(nr).lastBeatAt = 3_000 as Instant;
  w.changed();
  assert.deepEqual(w.told, [[20 / 3, 10], [20 / 3, 10], [20 / 3], []]);
  w.gone(1);
  w.changed();
  assert.deepEqual(w.told[0], [20 / 3, 10, null], "alone, it accepts whatever comes");
});

test("all hear that one has room; the full ones every second, until none has, or the one that has is silent", (t) => {
  const w = world(t, [5, 5, 4]);
  w.changed();
  w.child(0).full = true;
  w.child(1).full = true;
  w.at(500);
  w.changed();
  assert.deepEqual(w.rooms, [[true], [true], [true]], "it is no news");
  w.at(1_000);
  for (const nr of [0, 1, 2]) w.child(nr).lastBeatAt = 1_000 as Instant;
  w.changed();
  assert.deepEqual(w.rooms, [[true, true], [true, true], [true]]);
  w.child(2).full = true;
  w.changed();
  w.changed();
  assert.deepEqual(w.rooms, [
    [true, true, false],
    [true, true, false],
    [true, false],
  ]);
  w.child(2).full = false;
  w.changed();
  w.at(3_000);
  for (const nr of [0, 1]) w.child(nr).lastBeatAt = 3_000 as Instant;
  w.at(3_600);
  w.changed();
  assert.deepEqual(w.rooms[0]?.at(-1), false, "the one with room has missed two beats");
});

test("one alone has nobody to leave a client to", (t) => {
  const w = world(t, [5]);
  w.changed();
  assert.deepEqual(w.rooms, [[false]]);
});

test("while connections come and go the first of those that serve lead, as many as there are CPUs, and the others are to stand by", (t) => {
  const w = world(t, [0, 0, 0, 0]);
  w.changed();
  assert.deepEqual(w.standby, [[false], [false], [false], [false]], "nothing comes and goes");
  w.child(3).churnsAt = 0 as Instant;
  w.changed();
  assert.deepEqual(w.standby, [[false], [false], [false, true], [false, true]]);
  w.setState(0, "draining");
  w.changed();
  assert.deepEqual(w.standby, [[false], [false], [false, true, false], [false, true]]);
  const beats = (now: number): void => {
    w.at(now);
    for (const nr of [1, 2, 3]) w.child(nr).lastBeatAt = now as Instant;
    w.changed();
  };
  w.child(3).churnsAt = undefined;
  beats(500);
  beats(30_000);
  assert.equal(w.standby[3]?.at(-1), true, "who comes and goes may do so again");
  beats(30_001);
  assert.equal(w.standby[3]?.at(-1), false, "it is over");
});

test("who holds more than is fair, is full or is held up does not lead, and a worker on trial only where there are no others", (t) => {
  const w = world(t, [0, 0, 0, 0, 0], 2);
  const leads = (): number[] => {
    for (const nr of [2, 4]) w.child(nr).churnsAt = w.now();
    w.changed();
    return w.standby.flatMap((said, nr) => (said.at(-1) === true ? [] : [nr]));
  };
  assert.deepEqual(leads(), [0, 1]);
  w.child(0).staying = 30; // of 30: the mean is 6
  assert.deepEqual(leads(), [1, 2]);
  w.child(1).full = true;
  assert.deepEqual(leads(), [2, 3]);
  w.child(3).churnsAt = w.now();
  w.at(700);
  assert.deepEqual(leads(), [2, 4], "it has said nothing for longer than 600 ms");
  w.setState(2, "trial");
  w.child(0).staying = 0;
  w.child(1).full = false;
  assert.deepEqual(leads(), [0, 1]);
  for (const nr of [0, 1, 3]) w.setState(nr, "draining");
  assert.ok(leads().includes(2));
});

test("who is to stand by hears it again every second", (t) => {
  const w = world(t, [0, 0, 0]);
  for (let now = 0; now <= 2_400; now += 200) {
    w.at(now);
    for (const nr of [0, 1, 2]) w.child(nr).lastBeatAt = now as Instant;
    w.child(0).churnsAt = now as Instant;
    w.changed();
  }
  assert.deepEqual(w.standby, [[false], [false], [true, true, true]]);
});

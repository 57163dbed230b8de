import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { tmpdir } from "node:os";
import test from "node:test";
import { fc } from "../../support/fast-check.ts";
import type { Beat } from "../../../src/base/protocol.ts";
import { noCounters } from "../../../src/base/counters.ts";
import { ms } from "../../../src/base/units.ts";
import { createMeasures } from "../../../src/master/shell/measures.ts";
import { readProcSizes } from "../../../src/master/shell/procstat.ts";
import type { Measurable } from "../../../src/master/shell/readings.ts";

const child = (pid: number, nr: number, role: "worker" | "broker" | "emulator" = "worker"): Measurable => ({
  pid,
  role,
  nr,
  place: `${role}/${nr}`,
});
const beat = (counts: Record<string, number>, spans: NonNullable<Beat["figures"]>["spans"] = {}): Beat => ({
  type: "beat",
  seq: 1,
  inFlight: 0,
  connections: 0,
  elu: 0,
  delay: ms(0),
  heap: 1,
  rss: 1,
  full: false,
  counters: noCounters(),
  latency: [[100, 2]],
  figures: { counts, spans },
});

test("model: sums never fall, and are what all children have done, dead ones included", () => {
  const move = fc.record({ pid: fc.integer({ min: 1, max: 4 }), grow: fc.nat(5), dies: fc.boolean() });
  fc.assert(
    fc.property(fc.array(move, { maxLength: 60 }), (moves) => {
      const measures = createMeasures([]);
      const alive = new Map<number, number>();
      let [truth, before] = [0, 0];
      for (const [i, { pid, grow, dies }] of moves.entries()) {
        const own = pid * 1_000 + (alive.get(pid) === undefined ? i : 0);
        const done = (alive.get(pid) ?? 0) + grow;
        alive.set(pid, done);
        truth += grow;
        measures.add(child(pid * 1_000, pid), beat({ "shed.full": done }));
        assert.ok(own > 0);
        if (dies) {
          measures.forget(pid * 1_000);
          alive.delete(pid);
        }
        const now = measures.read(0).counts["shed.full"] ?? 0;
        assert.ok(now >= before);
        before = now;
      }
      assert.equal(before, truth);
    }),
    { numRuns: 100 },
  );
});

test("a count that falls adds nothing; a flood of names is one name", () => {
  const measures = createMeasures([]);
  measures.add(child(1, 0), beat({ "shed.full": 9 }));
  measures.add(child(1, 0), beat({ "shed.full": 2 }));
  assert.equal(measures.read(0).counts["shed.full"], 9);
  for (let i = 0; i < 40; i += 1)
    measures.add(child(2, 1), beat(Object.fromEntries(Array.from({ length: 100 }, (_, j) => [`shed.x${i}-${j}`, 1]))));
  const { counts } = measures.read(0);
  assert.ok(Object.keys(counts).length <= 66, `${Object.keys(counts).length}`);
  assert.equal(
    Object.values(counts).reduce((a, b) => a + b),
    9 + 4_000,
  );
});

test("durations are merged; those of the emulator, which is Google here, are not ours; pauses stand by role", () => {
  const measures = createMeasures([]);
  measures.add(child(1, 0), beat({}, { queue: [[5, 1]], "gc.minor": [[7, 2]] }));
  measures.add(child(2, 1), beat({}, { queue: [[5, 2]], "gc.minor": [[7, 1]] }));
  measures.add(child(3, 0, "emulator"), beat({}, { "gc.minor": [[7, 9]] }));
  const { latency, spans, pauses, minuteP95 } = measures.read(0);
  assert.deepEqual(latency, [[100, 4]]);
  assert.deepEqual(spans, { queue: [[5, 3]] });
  assert.deepEqual(
    pauses.map(({ role, kind, times }) => [role, kind, times]),
    [
      ["worker", "minor", [[7, 3]]],
      ["emulator", "minor", [[7, 9]]],
    ],
  );
  assert.ok(minuteP95 !== undefined && minuteP95 > 0);
  for (let i = 0; i < 12; i += 1) measures.sample([]);
  assert.equal(measures.read(0).minuteP95, undefined, "a minute later");
});

/** Half of what it burns is the system's: it asks for its own use all the time. */
const BURN = `for (let used = process.cpuUsage(); used.user + used.system < 200_000; used = process.cpuUsage());
  console.log(1); setInterval(() => {}, 1e6)`;

test("a place's CPU time is kept when its process dies, and its sizes are those that live", async (t) => {
  const burn = spawn(process.execPath, ["-e", BURN]);
  t.after(() => burn.kill("SIGKILL"));
  await once(burn.stdout, "data");
  const [pid, own] = [
    burn.pid ?? 0,
    createMeasures([
      { name: "data", path: tmpdir() },
      { name: "log", path: "/nowhere" },
    ]),
  ];
  own.sample([child(pid, 0)]);
  const of = (role: string) => own.read(0).processes.find((one) => one.role === role);
  const living = of("worker");
  const { cpuUser = 0, cpuSystem = 0, rss = 0, files = 0 } = living ?? {};
  assert.ok(living && cpuUser + cpuSystem > 0.1 && rss > 1e7 && files > 3);
  assert.ok(Math.abs(living.startedAt - Date.now()) < 60_000);
  burn.kill("SIGKILL");
  await once(burn, "exit");
  own.forget(pid);
  assert.equal(of("worker"), undefined, "nobody is there now");
  own.add(child(pid + 1, 0), beat({}));
  const next = of("worker");
  assert.ok(next?.cpuUser !== undefined && next.cpuUser >= cpuUser);
  assert.deepEqual([next.rss, next.virtual, next.data, next.files], [undefined, undefined, undefined, undefined], "not read yet");
  const master = of("master");
  assert.ok(master?.rss !== undefined && master.rss > 1e7 && master.node !== undefined);
  assert.deepEqual(
    own.read(0).disks.map(({ directory }) => directory),
    ["data"],
  );
  assert.equal(readProcSizes(2 ** 30), undefined);
});

import assert from "node:assert/strict";
import test from "node:test";
import { ms, seconds } from "../../../src/base/units.ts";
import { decide } from "../../../src/master/core/decide.ts";
import type { Pid } from "../../../src/master/core/model.ts";
import { booted, POLICY, world } from "./world.ts";

const announced = (w: ReturnType<typeof world>): string[] => w.of("announce").map(({ what }) => what);

test("start asks for everything at once, the services first, and says ready when all are", () => {
  const w = world().start(2, "broker", "emulator");
  assert.deepEqual(
    w.of("spawn").map(({ place }) => place),
    ["emulator/0", "broker/0", "worker/0", "worker/1"],
  );
  const [first, ...others] = w.starting();
  for (const pid of others) w.ready(pid);
  assert.deepEqual(announced(w), []);
  w.ready(first!);
  assert.deepEqual(announced(w), ["ready"]);
  assert.equal(w.master.booted, true);
});

test("the first worker goes ahead: the others follow when it is ready, or when its head start is over", () => {
  const headStart = seconds(2);
  const w = world({ headStart, bootsAtOnce: 2 }).start(3, "broker");
  assert.deepEqual(w.spawned(), ["broker/0 1", "worker/0 1"]);
  w.ready(w.pid("broker/0"));
  assert.deepEqual(w.spawned(), []);
  w.ready(w.pid("worker/0"));
  assert.deepEqual(w.spawned(), ["worker/1 1", "worker/2 1"]);
  w.bootAll();
  assert.equal(w.master.booted, true);

  const narrow = world({ headStart, bootsAtOnce: 1 }).start(3);
  narrow.ready(narrow.pid("worker/0"));
  assert.deepEqual(narrow.spawned(), ["worker/0 1", "worker/1 1"]);
  narrow.ready(narrow.pid("worker/1"));
  assert.deepEqual(narrow.spawned(), ["worker/2 1"], "one after the other where there is one CPU beside the one that serves");
  narrow.bootAll();
  assert.equal(narrow.master.ahead, undefined);

  const slow = world({ headStart, bootsAtOnce: 2 }).start(3);
  slow.spawned();
  slow.advance(ms(1_999));
  assert.deepEqual(slow.spawned(), []);
  slow.advance(ms(1));
  assert.deepEqual(slow.spawned(), ["worker/1 1", "worker/2 1"], "the first boots still: it waits for something, and keeps nobody out");

  const failing = world({ headStart }).start(3);
  failing.spawned();
  failing.exit(failing.pid("worker/0"), { code: 1 });
  assert.deepEqual(failing.spawned(), ["worker/0 1"], "it is tried again, still alone");
  failing.feed({ type: "grow" });
  assert.deepEqual(failing.spawned(), []);
  failing.feed({ type: "stop", quick: false });
  failing.reap();
  assert.deepEqual(failing.of("exit"), [{ do: "exit", code: 0 }], "those that have not begun are not waited for");
});

test("few workers boot at a time, at the start, after scale and when all have died", () => {
  const booting = (w: ReturnType<typeof world>): number => w.starting().length;
  const w = world({ bootsAtOnce: 2, maxWorkers: 256 }).start(8);
  assert.equal(booting(w), 2);
  w.ready(w.starting()[0]!);
  assert.equal(booting(w), 2);
  w.bootAll();
  w.feed({ type: "scale", to: 256 });
  assert.equal(booting(w), 2);
  assert.equal(w.master.target, 256);
  w.feed({ type: "scale", to: 8 });
  w.reap();
  assert.equal(w.master.places.size, 8, "what had not begun is given up without a process");
  w.advance(seconds(20), "all");
  const all = new Set(w.processes.keys());
  for (const pid of all) w.exit(pid, { signal: "SIGKILL" });
  assert.equal(booting(w), 2, "all eight died at once");
  w.feed({ type: "stop", quick: false });
  w.reap();
  assert.deepEqual(w.of("exit"), [{ do: "exit", code: 0 }]);
});

test("boots that hang keep the other workers out for a second, not for the boot timeout", () => {
  const w = world({ bootsAtOnce: 2, maxWorkers: 256, bootTimeout: seconds(60) }).start(6);
  w.bootAll();
  w.advance(seconds(20), "all");
  for (const nr of [0, 1]) w.exit(w.pid(`worker/${nr}`), { signal: "SIGKILL" });
  w.advance(seconds(3), "all"); // these two never become ready
  for (const nr of [2, 3, 4, 5]) w.exit(w.pid(`worker/${nr}`), { signal: "SIGKILL" });
  assert.equal(w.starting().length, 4, "two hang, two boot");
  w.advance(ms(999));
  assert.equal(w.starting().length, 4);
  w.advance(ms(1));
  assert.equal(w.starting().length, 6);
});

test("a child that runs is judged by the timeout it was started with, whatever a reload has made of it", () => {
  const w = booted(2, { beatTimeout: seconds(30) });
  const [first, second] = [w.pid("worker/0"), w.pid("worker/1")];
  w.setPolicy({ beatTimeout: ms(400) });
  w.feed({ type: "beat", pid: first });
  w.feed({ type: "beat", pid: second });
  w.advance(seconds(29));
  assert.deepEqual(w.of("examine"), []);
  w.exit(first, { code: 1 });
  w.ready(w.pid("worker/0"));
  w.advance(ms(400));
  assert.deepEqual(
    w.of("examine").map(({ pid }) => pid),
    [w.pid("worker/0")],
    "the new one has the new timeout",
  );
});

test("a second start, commands before the first one and a memory report change nothing", () => {
  const w = world();
  for (const type of ["grow", "shrink"] as const) w.feed({ type });
  w.feed({ type: "reload", workers: 3 });
  w.feed({ type: "need", role: "broker" });
  w.feed({ type: "memory", short: false });
  assert.equal(w.master.places.size, 0);
  assert.deepEqual(announced(w), []);
  w.start(1).start(5);
  assert.equal(w.master.target, 1);
});

for (const [name, how, exit] of [
  ["settings", { fatal: { exit: 78, code: "DROVER_E_SETTINGS", message: "workers" }, code: 78 }, 78],
  ["an application that can't be loaded", { fatal: { exit: 4, code: "DROVER_E_APP", message: "no such file" }, code: 4 }, 4],
  ["an exit code of 4 without a word", { code: 4 }, 4],
  ["a boot that fails", { code: 3 }, 3],
] as const)
  test(`first boot: ${name} ends the master with ${exit}`, () => {
    const w = world().start(2, "broker");
    w.exit(w.pid("worker/1"), how);
    assert.equal(w.master.mode.is, "stopping");
    assert.deepEqual(w.pids("killed").length, 2, "those that still boot are killed");
    w.reap();
    assert.deepEqual(w.of("exit"), [{ do: "exit", code: exit }]);
    assert.deepEqual(announced(w), ["stopping"], "ready was never said");
  });

test("first boot: other crashes are tried again, until there are too many", () => {
  const w = world().start(1);
  for (let i = 0; i < 3; i += 1) w.exit(w.pid("worker/0"), { code: 1 });
  assert.equal(w.master.mode.is, "running");
  w.exit(w.pid("worker/0"), { code: 1 });
  assert.deepEqual(w.of("exit"), [{ do: "exit", code: 3 }]);
});

test("first boot: too many failures of a disk that may recover end the master with 75", () => {
  const w = world().start(1);
  const fatal = { exit: 75, code: "DROVER_E_DISK", message: "disk I/O error" };
  for (let i = 0; i < 4; i += 1) w.exit(w.pid("worker/0"), { code: 75, fatal });
  assert.deepEqual(w.of("exit"), [{ do: "exit", code: 75 }]);
});

test("a child that is to say itself what it waited for is killed a little later, if it does not", () => {
  const w = world({ bootGrace: seconds(2) }).start(1);
  w.advance(ms(61_999));
  assert.deepEqual(w.of("kill"), []);
  w.advance(ms(1));
  assert.equal(w.of("kill")[0]?.why, "boot-timeout");
  assert.equal(w.logged(/was not ready within 60 s and is killed/), 1);
});

test("first boot: a child that is not ready in time is killed and ends the master with 3", () => {
  const w = world().start(1);
  w.advance(ms(59_999));
  assert.deepEqual(w.of("kill"), []);
  w.advance(ms(1));
  assert.equal(w.of("kill")[0]?.why, "boot-timeout");
  assert.deepEqual(w.of("exit"), [{ do: "exit", code: 3 }]);
});

test("after the first boot no crash ends the master, not even one that names a wrong setting", () => {
  const w = booted(2);
  for (let i = 0; i < 50; i += 1) {
    w.advance(seconds(40), "all");
    for (const pid of w.starting()) w.exit(pid, { code: 78, fatal: { exit: 78, code: "DROVER_E_SETTINGS", message: "x" } });
    if (w.place("worker/0").incumbent.is === "ready") w.exit(w.pid("worker/0"), { code: 78 });
  }
  assert.equal(w.master.mode.is, "running");
  assert.equal(w.place("worker/1").incumbent.is, "ready");
});

test("a crash is replaced at once in the same place; each place counts its own crashes", () => {
  const w = booted(2);
  w.spawned();
  w.exit(w.pid("worker/1"), { signal: "SIGSEGV" });
  assert.deepEqual(w.spawned(), ["worker/1 1"]);
  w.bootAll();
  for (let i = 0; i < 2; i += 1) w.exit(w.pid("worker/1"));
  assert.equal(w.place("worker/1").crashes.length, 3);
  assert.equal(w.place("worker/0").crashes.length, 0);
});

test("crashes beyond the limit back off, ever longer, until a child has served for a while", () => {
  const w = booted(2);
  const waits: number[] = [];
  for (let i = 0; i < 12; i += 1) {
    if (w.place("worker/0").incumbent.is === "waiting") w.advance(seconds(30), "all");
    w.exit(w.pid("worker/0"));
    const { incumbent } = w.place("worker/0");
    if (incumbent.is === "waiting") waits.push(incumbent.until - w.now);
  }
  assert.equal(waits.length, 9, "the first three are replaced at once");
  waits.forEach((wait, n) => assert.ok(wait >= Math.min(30_000, 1_000 * 2 ** n) / 2 && wait <= 30_000, `${n}: ${wait}`));
  w.advance(seconds(30), "all").bootAll().advance(seconds(61), "all");
  assert.equal(w.place("worker/0").backoffs, 0);
  w.exit(w.pid("worker/0"));
  assert.equal(w.place("worker/0").incumbent.is, "starting", "a good life is a new start");
});

test("fork refused: no second try at once, and the others are not touched", () => {
  const w = booted(2);
  w.forksFail = 1;
  w.exit(w.pid("worker/0"));
  assert.equal(w.place("worker/0").incumbent.is, "waiting");
  assert.equal(w.logged(/worker 0 can't be started: EAGAIN/), 1);
  w.advance(seconds(2), "all").bootAll();
  assert.equal(w.pids("ready").length, 2);
});

test("a silent child is examined, killed once, replaced in its place", () => {
  const w = booted(1);
  const pid = w.pid("worker/0");
  w.advance(ms(29_999));
  assert.deepEqual(w.of("examine"), []);
  w.now = (w.now + 1) as typeof w.now;
  w.feed({ type: "tick", late: ms(0) });
  assert.deepEqual(w.of("examine"), [{ do: "examine", pid, budget: seconds(1) }]);
  assert.deepEqual(w.of("kill"), []);
  w.feed({ type: "report", pid, verdict: "spinning: 99 % CPU" });
  assert.deepEqual(w.of("kill"), [{ do: "kill", pid, why: "stuck" }]);
  assert.equal(w.logged(/worker 0 \(pid 101\) is stuck and is killed: spinning/), 1);
  w.feed({ type: "report", pid, verdict: "again" });
  w.beat(pid);
  w.ready(pid);
  w.feed({ type: "tick", late: ms(0) });
  assert.equal(w.of("kill").length, 1, "a killed worker is not killed again, and does not come back");
  w.spawned();
  w.reap();
  assert.deepEqual(w.spawned(), ["worker/0 1"]);
});

test("without a report the examination ends by itself; a beat meanwhile acquits", () => {
  const w = booted(2, { examineLongest: seconds(3) });
  const [silent, recovers] = [w.pid("worker/0"), w.pid("worker/1")];
  w.advance(seconds(30));
  assert.equal(w.pids("examined").length, 2);
  w.beat(recovers);
  assert.equal(w.place("worker/1").incumbent.is, "ready");
  w.feed({ type: "report", pid: recovers, verdict: "too late" });
  w.advance(ms(2_999), [recovers]);
  assert.deepEqual(w.of("kill"), [], "it has ended by itself by its budget, or soon after it");
  w.advance(ms(1), [recovers]);
  assert.deepEqual(w.of("kill"), [{ do: "kill", pid: silent, why: "stuck" }]);
});

test("a child that dies while it boots is tried again at once, and then after growing pauses", () => {
  const w = world({ crashLimit: { crashes: 5, within: seconds(60), unborn: 1 } }).start(1);
  w.bootAll();
  const starts: number[] = [];
  w.exit(w.pid("worker/0")); // it had been ready
  const begun = w.now;
  while (w.now - begun < 30_000) {
    if (w.spawned().length > 0) {
      starts.push(w.now - begun);
      w.exit(w.pid("worker/0"), { code: 1 });
    } else w.advance(ms(100), "all");
  }
  assert.equal(starts[0], 0);
  assert.ok((starts[1] ?? 0) >= 500, "the first start failed: now it waits");
  assert.ok(starts.length <= 7, `${starts.length} starts in 30 s`);
});

test("a starved child is spared for one beat period, once until it beats again", () => {
  const w = booted(1);
  const pid = w.pid("worker/0");
  const silent = (): void => {
    w.feed({ type: "report", pid, verdict: "starved: ready to run", starved: true });
  };
  w.advance(seconds(30));
  silent();
  assert.deepEqual(w.of("kill"), []);
  assert.equal(w.logged(/left alone for 10 s, once: starved/), 1);
  w.advance(seconds(9.9));
  assert.equal(w.of("examine").length, 1);
  w.beat(pid);
  w.advance(seconds(30));
  silent();
  assert.deepEqual(w.of("kill"), [], "it had beaten: another incident");
  w.advance(seconds(10));
  assert.equal(w.of("examine").length, 3);
  silent();
  assert.deepEqual(w.of("kill"), [{ do: "kill", pid, why: "stuck" }]);
});

test("all silent at once: all are examined, killed and replaced", () => {
  const w = booted(4, {}, "broker");
  w.advance(seconds(31));
  assert.equal(w.of("kill").length, 5);
  assert.equal(w.bootAll().pids("ready").length, 5);
});

test("a child that starts owes no beat, and beats don't make it ready", () => {
  const w = world().start(1);
  w.beat(w.pid("worker/0"));
  w.advance(seconds(45));
  assert.equal(w.place("worker/0").incumbent.is, "starting");
});

test("when the master itself was late, fire is held for one beat period, once per incident", () => {
  const w = booted(2);
  w.sleep(seconds(3_600));
  assert.deepEqual([w.of("examine"), w.of("kill")], [[], []]);
  assert.equal(w.logged(/3570 s late/), 1);
  const [alive, dead] = [w.pid("worker/0"), w.pid("worker/1")];
  w.beat(alive);
  w.advance(seconds(10), [alive]);
  assert.deepEqual(
    w.of("examine").map(({ pid }) => pid),
    [dead],
    "who does not beat within the period is judged",
  );
  w.advance(seconds(1), [alive]).bootAll();
  w.sleep(seconds(60));
  assert.equal(w.logged(/late/), 2, "another incident");
  w.sleep(seconds(60));
  assert.equal(w.of("examine").length, 3, "late again while fire was held: no second grace");
});

test("holding fire never takes time away from a child that has more", () => {
  const w = booted(2);
  const [beats, silent] = [w.pid("worker/0"), w.pid("worker/1")];
  w.now = (w.now + 50_000) as typeof w.now;
  w.beat(beats); // read before the late timer is judged
  w.feed({ type: "tick", late: seconds(20) });
  const by = w.slots().flatMap((slot) => (slot.is === "ready" ? [[slot.pid, slot.beatBy - w.now]] : []));
  assert.deepEqual(by, [
    [beats, 30_000],
    [silent, 10_000],
  ]);
});

test("what a kill does not end is said aloud, once a period, and watched on", () => {
  const w = booted(1);
  w.advance(seconds(30));
  w.feed({ type: "report", pid: w.pid("worker/0"), verdict: "blocked" });
  for (let i = 1; i <= 3; i += 1) {
    w.now = (w.now + 5_000) as typeof w.now;
    w.feed({ type: "tick", late: ms(0) });
    assert.equal(w.logged(/survives SIGKILL/), i);
  }
  assert.equal(w.of("kill").length, 1);
});

test("a needed role is added once, and its failure does not end the master", () => {
  const w = booted(1);
  w.feed({ type: "need", role: "broker" });
  w.feed({ type: "need", role: "broker" });
  w.feed({ type: "need", role: "worker" });
  assert.equal(w.master.places.size, 2);
  w.exit(w.pid("broker/0"), { code: 78 });
  assert.equal(w.master.mode.is, "running");
  assert.equal(w.place("broker/0").incumbent.is, "starting");
});

test("strangers change nothing, in any state", () => {
  const pid = 4_711 as Pid;
  const running = booted(1, {}, "broker");
  const stopping = booted(1);
  stopping.feed({ type: "stop", quick: false });
  for (const { master, now } of [world(), running, stopping]) {
    for (const event of [
      { type: "ready", pid },
      { type: "beat", pid },
      { type: "report", pid, verdict: "" },
      { type: "exited", pid, code: 78, signal: null, fatal: undefined },
      { type: "spawnFailed", place: "worker/9", seat: "incumbent", message: "" },
    ] as const) {
      const [next, actions] = decide(master, { ...event, at: now }, POLICY);
      assert.equal(next, master);
      assert.deepEqual(actions, []);
    }
  }
});

test("a child nobody asked for is killed and watched until it is gone", () => {
  const w = booted(1);
  const pid = 4_711 as Pid;
  w.processes.set(pid, { pid, place: "worker/7", generation: 1, killed: false, drained: undefined });
  w.feed({ type: "spawned", place: "worker/7", seat: "incumbent", pid, generation: 1, beatTimeout: w.policy.beatTimeout });
  assert.deepEqual(w.of("kill"), [{ do: "kill", pid, why: "abandoned" }]);
  w.reap();
  assert.equal(w.master.places.size, 1);
});

test("a pid that the kernel gave again means that its first bearer has ended", () => {
  const w = booted(2);
  const pid = w.pid("worker/0");
  w.feed({ type: "exited", pid: w.pid("worker/1"), code: 1, signal: null, fatal: undefined });
  const before = w.master;
  const spawning = { ...w.place("worker/1"), incumbent: { is: "spawning", generation: 1 } as const };
  const [next] = decide(
    { ...before, places: new Map(before.places).set("worker/1", spawning) },
    { type: "spawned", at: w.now, place: "worker/1", seat: "incumbent", pid, generation: 1, beatTimeout: w.policy.beatTimeout },
    w.policy,
  );
  assert.equal(next.places.get("worker/0")?.incumbent.is, "spawning");
  assert.equal(next.places.get("worker/1")?.incumbent.is, "starting");
});

test("exits are told plainly, with place, pid and generation", () => {
  const w = booted(1);
  w.exit(w.pid("worker/0"), { signal: "SIGKILL" });
  w.advance(seconds(1));
  w.exit(w.pid("worker/0"), { code: 4, fatal: { exit: 4, code: "DROVER_E_APP", message: "cannot find ./app.js" } });
  const lines = w.of("log").filter(({ level }) => level === "error");
  assert.deepEqual(
    lines.map(({ text }) => text),
    [
      "worker 0 (pid 101) was killed by SIGKILL",
      "worker 0 (pid 102) failed to start: it exited with code 4: DROVER_E_APP: cannot find ./app.js",
    ],
  );
  assert.deepEqual(lines[0]?.fields, { place: "worker/0", pid: 101, generation: 1 });
});

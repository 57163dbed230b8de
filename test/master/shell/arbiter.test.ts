/** The master's loop with children that are no processes. */
import assert from "node:assert/strict";
import type { ChildProcess } from "node:child_process";
import { EventEmitter } from "node:events";
import test from "node:test";
import { systemClock } from "../../../src/base/clock.ts";
import { noCounters } from "../../../src/base/counters.ts";
import { makeLogger } from "../../../src/base/log.ts";
import type { Beat } from "../../../src/base/protocol.ts";
import { slotsState } from "../../../src/base/slots.ts";
import { ms } from "../../../src/base/units.ts";
import { createArbiter, type Arbiter } from "../../../src/master/shell/arbiter.ts";
import { createTotals } from "../../../src/master/shell/totals.ts";
import type { World } from "../../../src/master/shell/world.ts";
import { POLICY } from "../core/world.ts";

const BEAT: Beat = {
  type: "beat",
  seq: 1,
  inFlight: 0,
  connections: 0,
  elu: 0,
  delay: ms(1),
  heap: 1,
  full: false,
  counters: noCounters(),
  latency: [],
};

class FakeProcess extends EventEmitter {
  readonly pid: number;
  readonly killed: (string | number | undefined)[] = [];
  readonly connected = false;
  readonly stdout = null;
  readonly stderr = null;
  exitCode: number | null = null;
  signalCode: NodeJS.Signals | null = null;

  constructor(pid: number) {
    super();
    this.pid = pid;
  }
  kill(signal?: string | number): boolean {
    this.killed.push(signal);
    return true;
  }
  /** The kernel has reaped it: Node reports the exit at once, the end of its pipes later. */
  dies(): void {
    this.exitCode = 1;
    this.emit("exit", 1, null);
  }
  closes(): void {
    this.emit("close", 1, null);
  }
}

interface Rig {
  readonly arbiter: Arbiter;
  readonly forked: FakeProcess[];
  /** Pids of those whose death was noted. */
  readonly died: number[];
  readonly worn: number[];
}

/** @param pids of the forks, in order. */
function rig(pids: readonly number[]): Rig {
  const [forked, died, worn]: [FakeProcess[], number[], number[]] = [[], [], []];
  const world = {
    clock: systemClock,
    log: makeLogger({ role: "master" }, "silent", { write: () => {} }),
    totals: createTotals(),
    policy: () => ({ ...POLICY, crashLimit: { ...POLICY.crashLimit, unborn: 9, crashes: 9 } }),
    fork: () => {
      const made = new FakeProcess(pids[forked.length] ?? 9_999);
      forked.push(made);
      return made as unknown as ChildProcess;
    },
    configure: () => ({ beatEvery: ms(1_000) }),
    lend() {},
    inspectable: () => false,
    beatTimeout: () => POLICY.beatTimeout,
    fatal() {},
    announce() {},
    beat() {},
    born() {},
    died: ({ pid }: { pid: number }) => void died.push(pid),
    worn: ({ pid }: { pid: number }) => void worn.push(pid),
    changed() {},
  } as unknown as World;
  const arbiter = createArbiter(world, 1);
  return { arbiter, forked, died, worn };
}

test("a pid that the kernel gives again before its first bearer's end was reported: the newer child stays known", (t) => {
  const { arbiter, forked, died } = rig([11, 12, 11]);
  t.after(() => arbiter.agenda.stop());
  arbiter.feed({ type: "start", roles: ["worker"], workers: 2 });
  const [first, second] = forked;
  assert.ok(first !== undefined && second !== undefined);
  for (const child of [first, second]) child.emit("message", { type: "ready", where: "x" });
  first.dies(); // its pipes are still open: the master waits for its last words
  second.dies();
  second.closes(); // its place is filled again, by a process with the first one's pid
  const third = forked[2];
  assert.ok(third !== undefined && third.pid === 11);
  assert.equal(arbiter.children.get(11)?.process, third);
  first.closes();
  assert.equal(arbiter.children.get(11)?.process, third, "the late report is the former bearer's");
  assert.deepEqual(died, [12, 11]);
  const place = arbiter.children.get(11)?.place ?? "worker/9";
  assert.equal(arbiter.state().places.get(place)?.incumbent.is, "starting");
  first.emit("message", { type: "ready", where: "x" });
  assert.equal(arbiter.state().places.get(place)?.incumbent.is, "starting", "and so is what it said last");
  arbiter.feed({ type: "stop", quick: true });
  assert.deepEqual([first.killed, third.killed], [[], ["SIGKILL"]], "signals go to the process, not to the number");
});

test("a worker's report that it is worn is heard once for each, with its count", (t) => {
  const { arbiter, forked, worn } = rig([21]);
  t.after(() => arbiter.agenda.stop());
  arbiter.feed({ type: "start", roles: ["worker"], workers: 1 });
  forked[0]?.emit("message", { type: "ready", where: "x" });
  forked[0]?.emit("message", { type: "worn", served: 1_003 });
  assert.deepEqual([worn, arbiter.children.get(21)?.worn], [[21], 1_003]);
});

test("the use of the slots is the broker's word: what a worker's beat says of it is not kept", (t) => {
  const { arbiter, forked } = rig([31, 32]);
  t.after(() => arbiter.agenda.stop());
  arbiter.feed({ type: "start", roles: ["broker", "worker"], workers: 1 });
  for (const nr of [0, 1]) forked[nr]?.emit("message", { type: "ready", where: "x" });
  const say = (pid: number, used: number) =>
    forked.find((child) => child.pid === pid)?.emit("message", { ...BEAT, slots: slotsState(used, 10) });
  const [broker, worker] = ["broker", "worker"].map((role) => [...arbiter.children].find(([, child]) => child.role === role)?.[0] ?? 0);
  say(worker ?? 0, 10);
  assert.equal(arbiter.slots(), undefined);
  say(broker ?? 0, 3);
  say(worker ?? 0, 10);
  assert.equal(arbiter.slots()?.used, 3);
});

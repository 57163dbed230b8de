import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { holdAfterAccept, Pace } from "../../src/worker/pace.ts";

/** A worker whose connections, clients in the queue and time are moved by hand. */
function world(t: TestContext, canHold = true, idle: () => number = () => 0) {
  t.mock.timers.enable({ apis: ["setTimeout", "setImmediate"] });
  const w = {
    size: 0,
    accepting: true,
    released: 0,
    pace: undefined as unknown as Pace,
    accept() {
      assert.ok(w.accepting, "it accepts only what it looks at");
      w.size += 1;
      w.pace.accepted();
    },
    leave() {
      w.size -= 1;
      w.pace.left();
    },
    /** Lets time pass in which nobody comes. */
    pass: (ms: number) => t.mock.timers.tick(ms),
  };
  const turnstile = {
    hold: () => ((w.accepting = !canHold), canHold),
    release: () => ((w.accepting = true), (w.released += 1)),
  };
  w.pace = new Pace(() => w.size, turnstile, idle);
  return w;
}

type World = ReturnType<typeof world>;

/** Gives what lets time pass, step by step, in which somebody waits at each glance, and leaves when he is answered. It returns how many. */
function queue(t: TestContext, w: World): (millis: number, leaves?: boolean) => number {
  const turns: (() => void)[] = [];
  t.mock.method(globalThis, "setImmediate", (turn: () => void) => void turns.push(turn));
  return (millis, leaves = true) => {
    let taken = 0;
    for (let i = 0; i < millis; i += 1) {
      w.pass(1);
      if (!w.accepting) continue;
      w.accept();
      if (leaves) w.leave();
      taken += 1;
      for (const turn of turns.splice(0)) turn();
      if (w.accepting) return taken;
    }
    return taken;
  };
}

test("it waits longer the more it has, and never longer than 4 ms after an accept", () => {
  assert.deepEqual([0.1, 1, 2, 3, 7, 8, 1_000].map(holdAfterAccept), [1, 1, 1, 2, 4, 4, 4]);
});

test("before the master has said what is fair, and without a neighbour, it accepts whatever comes", (t) => {
  const w = world(t);
  for (let i = 0; i < 100; i += 1) w.accept();
  w.pace.share(3);
  assert.equal(w.accepting, false);
  w.pace.share(null);
  assert.equal(w.accepting, true);
  for (let i = 0; i < 100; i += 1) w.accept();
});

test("up to a tenth and one above the average it accepts; then it looks away until the others have caught up", (t) => {
  const w = world(t);
  w.pace.share(10);
  for (let i = 0; i < 12; i += 1) w.accept();
  assert.equal(w.accepting, true);
  w.accept();
  assert.equal(w.accepting, false);
  w.pace.share(11);
  assert.equal(w.accepting, true);
  w.accept();
  assert.equal(w.accepting, false);
  w.leave();
  assert.equal(w.accepting, true, "one has left: it is no longer above");
});

test("held, it glances at the queue: whoever waits is taken, and while nobody does it looks more seldom, every 50 ms at the least", (t) => {
  const w = world(t);
  w.pace.share(0);
  w.accept();
  w.accept();
  const waits: number[] = [];
  for (let waited = 0; waits.length < 8; waited += 1) {
    const before = w.released;
    w.pass(1);
    if (w.released === before) continue;
    waits.push(waited + 1);
    waited = -1;
  }
  assert.deepEqual(waits, [1, 2, 4, 8, 16, 32, 50, 50]);
});

test("a glance that finds somebody begins again with the short wait", (t) => {
  const w = world(t);
  w.pace.share(0);
  for (let i = 0; i < 2; i += 1) w.accept();
  for (let i = 0; i < 300 && w.released < 6; i += 1) w.pass(1);
  w.accepting = true; // within the turn of the loop in which it glances
  w.accept();
  assert.equal(w.accepting, false);
  const before = w.released;
  w.pass(1);
  assert.equal(w.released, before + 1);
});

test("a draining worker never accepts again", (t) => {
  const w = world(t);
  w.pace.share(0);
  for (let i = 0; i < 2; i += 1) w.accept();
  w.pace.stop();
  w.pass(1_000);
  w.pace.share(100);
  w.leave();
  w.leave();
  assert.equal(w.released, 0);
});

test("where sockets can't be held it accepts as if there were no pacing", (t) => {
  const w = world(t, false);
  w.pace.share(0);
  for (let i = 0; i < 50; i += 1) w.accept();
  assert.equal(w.accepting, true);
});

test("where many are fair a glance takes an eighth of that, a turn of the loop for each, and ends with the first turn that finds nobody", (t) => {
  const turns: (() => void)[] = [];
  const w = world(t);
  t.mock.method(globalThis, "setImmediate", (turn: () => void) => void turns.push(turn));
  let looked = 0;
  const glance = (waiting: number): number => {
    for (looked = 0; !w.accepting; looked += 1) w.pass(1);
    let taken = 0;
    while (w.accepting) {
      if (taken < waiting) {
        w.accept();
        taken += 1;
      }
      for (const turn of turns.splice(0)) turn();
    }
    return taken;
  };
  w.pace.share(200); // fair: 221
  while (w.accepting) w.accept();
  assert.equal(w.size, 222);
  const waits = (): number => (glance(0), looked); // ms that it looked away before it looked again
  assert.deepEqual([glance(1_000), glance(5)], [27, 5]);
  assert.deepEqual([waits(), waits(), waits()], [4, 8, 16], "the longer, the more it has, and the longer nobody comes");
  assert.equal(glance(1_000), 27);
  w.pace.share(3);
  assert.equal(glance(1_000), 1);
});

test("told to stand by in churn it looks away, takes one in 8 ms as long as somebody waits, and ends it a second after the last churn", (t) => {
  const w = world(t);
  w.pace.share(1, true);
  assert.equal(w.accepting, true, "nothing comes and goes yet");
  w.pace.churns();
  assert.equal(w.accepting, false);
  const taken = queue(t, w)(800);
  assert.ok(taken >= 90 && taken <= 100, `${taken} in 800 ms`);
  w.pace.churns();
  t.mock.method(globalThis, "setImmediate", (turn: () => void) => turn());
  const waits = w.released;
  for (let i = 0; i < 900; i += 1) w.pass(1); // a timer that is set by another's end counts from there
  assert.equal(w.accepting, false);
  assert.ok(w.released - waits >= 900 / 50, "a client whom the others leave waiting is seen within 50 ms");
  w.pass(200);
  assert.equal(w.accepting, true);
  for (let i = 0; i < 2; i += 1) w.accept();
  assert.equal(w.accepting, true, "as before");
});

test("one that stands by takes one client in a glance, however many are fair", (t) => {
  const w = world(t);
  w.pace.share(200, true);
  w.pace.churns();
  const taken = queue(t, w)(400);
  assert.ok(taken >= 45 && taken <= 51, `${taken} in 400 ms`);
});

test("the master's word is believed for 2.5 s, and can be taken back", (t) => {
  const w = world(t);
  const churn = (millis: number): void => {
    for (let i = 0; i < millis; i += 100) {
      w.pace.churns();
      w.pass(100);
    }
  };
  w.pace.share(1, true);
  churn(2_400);
  assert.equal(w.accepting, false);
  w.pace.share(1, true);
  churn(2_400);
  assert.equal(w.accepting, false);
  churn(200);
  assert.equal(w.accepting, true, "the master is silent");
  w.pace.share(1, true);
  assert.equal(w.accepting, false);
  w.pace.share(1, false);
  assert.equal(w.accepting, true);
});

test("who leads in churn takes what comes, more than is fair too; 250 ms after the last churn it is as any other", (t) => {
  const w = world(t);
  w.pace.share(1);
  w.pace.churns();
  for (let i = 0; i < 50; i += 1) w.accept();
  assert.equal(w.accepting, true);
  w.pass(249);
  w.accept();
  assert.equal(w.accepting, true);
  w.pass(1);
  assert.equal(w.accepting, false);
});

test("one that stood by and comes forward holds no more than is fair", (t) => {
  const w = world(t);
  w.pace.share(3, true);
  for (let i = 0; i < 5; i += 1) w.accept();
  w.pace.churns();
  w.pass(1_100);
  assert.equal(w.accepting, false);
  w.leave();
  assert.equal(w.accepting, true);
});

test("one that lingers no longer stands by", (t) => {
  const w = world(t);
  w.pace.share(1, true);
  w.pace.churns();
  w.pace.alone();
  assert.equal(w.accepting, true);
  w.pace.share(1, true);
  w.pace.churns();
  assert.equal(w.accepting, true);
});

test("a worker that drains and stood by never accepts again", (t) => {
  const w = world(t);
  w.pace.share(1, true);
  w.pace.churns();
  w.pace.stop();
  w.pace.share(1, true);
  w.pace.churns();
  w.pass(3_000);
  w.pace.share(1, false);
  assert.equal(w.released, 0);
});

test("one that stands by and finds somebody at every glance while CPUs are idle is needed: for a second it leads as well", (t) => {
  const shares = [0, 0.2, 0, 0.9];
  const w = world(t, true, () => shares.shift() ?? 0);
  w.pace.share(5, true);
  w.pace.churns();
  const serve = queue(t, w);
  let taken = serve(400);
  w.pace.churns();
  taken += serve(400);
  assert.equal(w.accepting, true);
  assert.ok(taken >= 49 && taken <= 51, `it looked at the CPUs after 25 and after 50 of them: ${taken}`);
  w.pace.churns();
  assert.equal(w.accepting, true);
  w.pass(1_000);
  w.pace.churns();
  assert.equal(w.accepting, false, "it is found out again");
});

test("a glance that finds nobody begins the count again", (t) => {
  const w = world(t, true, () => 1);
  w.pace.share(5, true);
  w.pace.churns();
  for (let i = 0; i < 4; i += 1) {
    assert.ok(queue(t, w)(150) > 10);
    t.mock.method(globalThis, "setImmediate", (turn: () => void) => turn());
    for (let n = 0; n < 20; n += 1) w.pass(1);
    w.pace.churns();
  }
  assert.equal(w.accepting, false);
});

import assert from "node:assert/strict";
import test from "node:test";
import { noCounters } from "../../src/base/counters.ts";
import type { Beat } from "../../src/base/protocol.ts";
import type { UpstreamReport } from "../../src/base/upstreamreport.ts";
import { slotsState } from "../../src/base/slots.ts";
import { ms, type Instant, type Timestamp } from "../../src/base/units.ts";
import { snapshotOf, type Facts } from "../../src/master/snapshot.ts";
import { booted, world, type World } from "./core/world.ts";

const upstream: UpstreamReport = {
  state: "ok",
  message: "",
  quota: { used: 3, limit: 51, lockedUntil: 0 as Timestamp },
  tables: [{ name: "players", rows: 500, version: 7, checkedAt: 1 as Timestamp, warnings: 0 }],
};
const beat: Beat = {
  type: "beat",
  seq: 4,
  inFlight: 2,
  connections: 9,
  elu: 0.5,
  delay: ms(1),
  heap: 10,
  rss: 20,
  full: false,
  counters: { ...noCounters(), served: 8 },
  latency: [],
};

function factsOf(w: World, changes: Partial<Facts> = {}): Facts {
  return {
    at: w.now,
    wall: 1_700_000_000_000 as Timestamp,
    version: "0.1.0",
    pid: 1,
    startedAt: 0 as Instant,
    addresses: [{ name: "127.0.0.1:8080", kind: "tcp" }],
    demo: true,
    children: new Map(),
    counters: noCounters(),
    latency: { p50: undefined, p95: undefined, p99: undefined },
    machine: undefined,
    limitedBy: [],
    ...changes,
  };
}

test("a snapshot is frozen to the bottom, survives JSON and leaves the facts unfrozen", () => {
  const w = booted(2, {}, "broker");
  const facts = factsOf(w, {
    children: new Map([
      [w.pid("worker/0"), { startedAt: w.now, lastBeat: beat, lastBeatAt: w.now, cpu: 0.25, rss: 99 }],
      [w.pid("broker/0"), { startedAt: w.now, lastBeat: { ...beat, upstream }, lastBeatAt: w.now }],
    ]),
  });
  const snapshot = snapshotOf(w.master, facts);
  assert.deepEqual(JSON.parse(JSON.stringify(snapshot)), snapshot);
  const frozen = (value: unknown): boolean =>
    typeof value !== "object" || value === null || (Object.isFrozen(value) && Object.values(value).every(frozen));
  assert.ok(frozen(snapshot));
  assert.ok(![facts.counters, facts.addresses, facts.addresses[0], upstream, upstream.tables, w.master.places].some(Object.isFrozen));
  const first = snapshot.places[0];
  assert.deepEqual([first?.id, first?.child?.served, first?.child?.rss, first?.child?.cpu], ["worker/0", 8, 99, 0.25]);
  assert.deepEqual(snapshot.health, {
    status: "ok",
    generation: 1,
    workers: { ready: 2, target: 2 },
    broker: "ready",
    upstream: "ok",
    demo: true,
  });
});

test("it tells the master's life: starting, running, reloading, stopping, stopped", () => {
  const w = world().start(1);
  const state = (): string => snapshotOf(w.master, factsOf(w)).state;
  const states = [state()];
  w.bootAll();
  states.push(state());
  w.feed({ type: "reload", workers: undefined });
  states.push(state());
  const { roll, places } = snapshotOf(w.master, factsOf(w));
  assert.deepEqual(roll, { generation: 2, left: ["worker/0"], total: 1, step: "is tried", back: null, since: 0 });
  assert.equal(places[0]?.successor?.state, "starting");
  w.feed({ type: "stop", quick: true });
  states.push(state());
  assert.equal(snapshotOf(w.master, factsOf(w)).health.status, "stopping");
  w.reap().leave();
  states.push(state());
  assert.deepEqual(states, ["starting", "running", "reloading", "stopping", "stopped"]);
});

test("how full the service is stays known while the broker is replaced, and is unknown without a broker", () => {
  const w = booted(1, {}, "broker");
  const before = slotsState(3, 200);
  const now = slotsState(4, 200);
  const seen = (changes: Partial<Facts>) => {
    const { slots, health } = snapshotOf(w.master, factsOf(w, changes));
    assert.deepEqual(health.slots ?? null, slots, "workers answer health from the same");
    return slots;
  };
  assert.equal(seen({}), null, "no broker has reported yet");
  const children = new Map([[w.pid("broker/0"), { startedAt: w.now, lastBeat: { ...beat, slots: now }, lastBeatAt: w.now }]]);
  assert.deepEqual(seen({ children, slots: before }), now);
  w.exit(w.pid("broker/0"));
  assert.deepEqual(seen({ slots: now }), now);
  const alone = booted(1);
  assert.equal(snapshotOf(alone.master, factsOf(alone, { slots: now })).slots, null);
});

test("degraded: a worker that backs off, a broker that is away, an upstream that is down", () => {
  const w = booted(1, {}, "broker");
  const down = { startedAt: w.now, lastBeat: { ...beat, upstream: { ...upstream, state: "down" as const } }, lastBeatAt: w.now };
  const sick = snapshotOf(w.master, factsOf(w, { children: new Map([[w.pid("broker/0"), down]]) })).health;
  assert.deepEqual([sick.status, sick.upstream], ["degraded", "down"]);
  w.exit(w.pid("broker/0"));
  assert.deepEqual(snapshotOf(w.master, factsOf(w)).health.broker, "away");
  for (let i = 0; i < 4; i += 1) w.exit(w.pid("worker/0"));
  const snapshot = snapshotOf(w.master, factsOf(w));
  assert.equal(snapshot.health.status, "degraded");
  assert.equal(snapshot.places[0]?.state, "waiting");
  assert.ok((snapshot.places[0]?.retryIn ?? 0) > 0);
});

test("one more worker, while it boots, degrades nothing; a worker that died, or that is missing for long, does", () => {
  const w = booted(2, {}, "broker");
  const status = (): string => snapshotOf(w.master, factsOf(w)).health.status;
  w.feed({ type: "scale", to: 3 });
  assert.deepEqual([snapshotOf(w.master, factsOf(w)).workers, status()], [{ ready: 2, target: 3 }, "ok"]);
  w.exit(w.pid("worker/2"));
  assert.equal(status(), "degraded", "its first start failed");
  const other = booted(2, {}, "broker");
  other.exit(other.pid("worker/0"));
  assert.equal(snapshotOf(other.master, factsOf(other)).health.status, "degraded");
});

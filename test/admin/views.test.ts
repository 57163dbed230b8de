/** What the admin API says, from snapshots made by hand; and what it costs. */
import assert from "node:assert/strict";
import test from "node:test";
import { fc } from "../support/fast-check.ts";
import { History } from "../../src/admin/history.ts";
import { hostAllowed, hostName, sameOrigin } from "../../src/admin/hosts.ts";
import { newsOf, Timeline } from "../../src/admin/timeline.ts";
import { capacityView } from "../../src/admin/views/capacity.ts";
import { statsView } from "../../src/admin/views/stats.ts";
import { Throttle } from "../../src/base/throttle.ts";
import { slotsState } from "../../src/base/slots.ts";
import { noCounters } from "../../src/base/counters.ts";
import { ms, type Instant, type Timestamp } from "../../src/base/units.ts";
import { child, NOW, place, statusWith } from "../cli/statuses.ts";
import { alert } from "./world.ts";

const capacity = (used: number, max: number, changes = {}) =>
  (capacityView(statusWith({ slots: slotsState(used, max), ...changes }), max) as { capacity: Record<string, unknown> }).capacity;

test("4.13: CPU, memory or slow answers lower can_accept_new and effective_max, and limited_by names them", () => {
  assert.equal(capacity(100, 200)["effective_max"], 200);
  assert.equal(capacity(250, 200, { slots: slotsState(250, 200, "cpu") })["effective_max"], 200, "never above the maximum");
  for (const why of ["cpu", "memory", "latency"] as const) {
    const closed = capacity(100, 200, { slots: slotsState(100, 200, why) });
    assert.deepEqual([closed["can_accept_new"], closed["limited_by"], closed["status"]], [false, why, "HEALTHY"]);
    assert.deepEqual([closed["effective_max"], closed["max"]], [100, 200], "no session is admitted beyond those that are in");
  }
});

test("4.8: the capacity says for how long 80 % of the slots were taken, in seconds", () => {
  const usage = { timeAbove80pct: { "1d": ms(4_200_400), "7d": ms(9_000_000) }, days: [], regular: null };
  assert.deepEqual(capacity(100, 200, { usage })["time_above_80pct"], { "1d": 4_200, "7d": 9_000 });
});

test("4.5: the figures that monitors look for", () => {
  for (const [used, max, percent, available, status, accepts] of [
    [0, 200, 0, 200, "LOW", true],
    [99, 200, 49.5, 101, "LOW", true],
    [150, 200, 75, 50, "HEALTHY", true],
    [160, 200, 80, 40, "WARNING", true],
    [199, 200, 99.5, 1, "WARNING", true],
    [200, 200, 100, 0, "FULL", false],
    [250, 200, 125, -50, "FULL", false],
  ] as const) {
    const { current_bots, max_bots, percent_used, available_slots, status: is, can_accept_new, current, max: most } = capacity(used, max);
    assert.deepEqual(
      [current_bots, max_bots, percent_used, available_slots, is, can_accept_new],
      [used, max, percent, available, status, accepts],
    );
    assert.deepEqual([current, most], [used, max]);
  }
  const near = (share: number) =>
    ({ advice: { limit: "quota", share, reason: "36 of 51", step: "ask less" }, fullIn: ms(2_460_400) }) as const;
  assert.equal(capacity(10, 200, near(0.7))["limited_by"], "quota");
  assert.equal(capacity(10, 200, near(0.69))["limited_by"], null, "the nearest limit is far");
  assert.equal(capacity(10, 200, near(0.1))["eta_full_s"], 2_460);
  assert.equal(capacity(10, 200, { fullIn: null })["eta_full_s"], null);
  assert.equal(capacity(10, 200, { state: "stopping" })["can_accept_new"], false);
  assert.equal(capacity(10, 200, { workers: { ready: 0, target: 2 } })["can_accept_new"], false);
  assert.deepEqual((capacityView(statusWith(), 500) as { capacity: object }).capacity, {
    ...capacity(0, 500),
  });
  const busy = [place(0, { child: child({ byClass: { read: 5, write: 1 } }) }), place(1, { child: child({ byClass: { read: 2 } }) })];
  assert.deepEqual(capacity(1, 2, { places: busy })["per_class"], { read: 7, write: 1, export: 0, login: 0, health: 0, admin: 0 });
  assert.deepEqual(capacity(1, 2, { counters: { ...noCounters(), slotsExpired: 3 } })["leases"], { active: 1, zombies_reaped_total: 3 });
});

test("the timeline is told from what differs, and stays bounded", () => {
  const before = statusWith({ slots: slotsState(100, 200) });
  assert.deepEqual(newsOf(before, before), []);
  const death = { name: "stuck", how: "was killed by SIGKILL", expected: false, pid: 4_001, generation: 1, at: NOW };
  const now = statusWith({
    slots: slotsState(200, 200),
    workers: { target: 4, ready: 2 },
    places: [place(0), place(1, { lastDeath: death })],
    lastRoll: { is: "rolledBack", generation: 4, why: "the first worker crashed" } as never,
    refusedReload: "DROVER_WORKERS is wrong",
    upstream: { ...before.upstream, state: "down" } as never,
  });
  assert.deepEqual(
    newsOf(before, now).map(({ what }) => what),
    ["rolled-back", "refused-reload", "scaled", "ended", "slots", "google"],
  );
  for (const name of ["rolled", "recycled:lifetime"]) {
    const after = { ...before, places: [place(0, { lastDeath: { ...death, name, expected: true } }), place(1)] };
    assert.deepEqual(newsOf(before, after), [], `${name}: a reload is one event, not one for each worker`);
  }
  const firing = (level: "warning" | "critical") => statusWith({ slots: slotsState(100, 200), alerts: [alert({ level })] });
  assert.deepEqual(
    [newsOf(before, firing("warning")), newsOf(firing("warning"), firing("critical")), newsOf(firing("critical"), before)].map((news) =>
      news.map(({ what, level, with: facts }) => [what, level, facts]),
    ),
    [
      [["alert", "warning", { name: "capacity", level: "warning" }]],
      [["alert", "critical", { name: "capacity", level: "critical" }]],
      [["alert", "info", { name: "capacity", level: "over" }]],
    ],
  );
  const one = firing("warning");
  const seen = { ...one, alerts: one.alerts.map((each) => ({ ...each, acked: NOW })) };
  assert.deepEqual(
    newsOf(one, seen).map(({ what, text, with: facts }) => [what, text, facts]),
    [["alert", "capacity is marked as seen", { name: "capacity", level: "seen" }]],
  );
  assert.deepEqual([newsOf(seen, seen), newsOf(seen, one)], [[], []], "once, and no longer when it gets worse");
  const timeline = new Timeline();
  for (let nr = 0; nr < 500; nr += 1) timeline.note({ what: "action", level: "info", text: "x".repeat(1_000) }, NOW);
  assert.equal(timeline.since().length, 100);
  assert.deepEqual(
    timeline.since(499).map(({ nr, text }) => [nr, text.length]),
    [[500, 300]],
  );
});

test("4.15: a reload is no incident of Google: a new broker that has not asked yet says nothing, and hides nothing", () => {
  const world = (state: "ok" | "never" | "down" | null) =>
    statusWith({ upstream: state === null ? null : ({ ...statusWith().upstream, state } as never) });
  const told = (...states: readonly ("ok" | "never" | "down" | null)[]) => {
    const timeline = new Timeline();
    for (const state of states) timeline.look(world(state));
    return timeline.since(1).map(({ level, text }) => `${level}: ${text}`);
  };
  assert.deepEqual(told("ok", "never", "ok"), [], "a reload with an idle service, then a read");
  assert.deepEqual(told("ok", null, "never", "ok"), [], "a broker that was away for a moment");
  assert.deepEqual(told("never", "ok"), [], "the start");
  assert.deepEqual(told("ok", "never", "down"), ["warning: Google: down"]);
  assert.deepEqual(told("down", "never", "down"), [], "the same outage goes on");
  assert.deepEqual(told("ok", "down", "never", "never", "ok"), ["warning: Google: down", "info: Google: ok"], "the end of an outage");
  assert.deepEqual(told("never", "down"), ["warning: Google: down"], "an outage from the start on");
});

test("which hosts and which pages", () => {
  for (const host of [
    "localhost",
    "localhost:8080",
    "LOCALHOST.",
    "127.0.0.1",
    "127.0.0.1:80",
    "[::1]:8080",
    "192.168.1.7:8080",
    "admin.example.org",
  ])
    assert.ok(hostAllowed(host, ["admin.example.org"]), host);
  for (const host of [
    undefined,
    "",
    "evil.test",
    "localhost.evil.test",
    "127.0.0.1.evil.test",
    "a@localhost",
    "localhost:99999999",
    "[::1",
    "[evil.test]",
    "127.0.0.1, localhost",
    "admin.example.org.evil.test",
    "0x7f.1",
  ])
    assert.ok(!hostAllowed(host, ["admin.example.org"]), String(host));
  fc.assert(fc.property(fc.string(), (text) => void hostName(text)));
  const page = (headers: object) => sameOrigin({ host: "localhost:8080", ...headers });
  assert.ok(
    page({}) &&
      page({ origin: "http://localhost:8080" }) &&
      page({ "sec-fetch-site": "same-origin" }) &&
      page({ "sec-fetch-site": "none" }),
  );
  assert.ok(page({ origin: "https://localhost:8080" }), "a proxy in front of us ends HTTPS");
  for (const headers of [
    { origin: "http://localhost:8081" },
    { origin: "null" },
    { origin: "file://" },
    { "sec-fetch-site": "same-site" },
    { "sec-fetch-site": "cross-site", origin: "http://localhost:8080" },
  ])
    assert.ok(!page(headers), JSON.stringify(headers));
});

test("a bucket lets its burst and its rate through, and no more", () => {
  const throttle = new Throttle({ perSecond: 10, burst: 20 });
  const taken = (from: number, to: number) => {
    let n = 0;
    for (let at = from; at < to; at += 1) if (throttle.take(at as Instant) === 0) n += 1;
    return n;
  };
  assert.equal(taken(0, 1_000), 29);
  assert.equal(taken(1_000, 11_000), 100);
});

/** A daemon in full swing: 16 workers, one of them stuck, 12 tables. */
const full = () =>
  statusWith({
    slots: slotsState(150, 200),
    workers: { target: 16, ready: 15 },
    counters: { ...noCounters(), served: 123_456_789, hits: 98_765_432, misses: 123_456, answeredRead: 98_765_432 },
    upstream: {
      state: "ok",
      message: "",
      quota: { used: 12, limit: 51, lockedUntil: 0 as Timestamp },
      tables: Array.from({ length: 12 }, (_, i) => ({
        name: `table-${i}`,
        rows: 5_000,
        version: 1_234,
        checkedAt: (NOW - 12_345) as Timestamp,
        warnings: 0,
      })),
    },
    places: [
      ...Array.from({ length: 16 }, (_, i) =>
        place(i, {
          child: child({ pid: 31_000 + i, served: 7_654_321, beatAge: (i === 7 ? 29_000 : 412) as never, delayP99: 12.345 as never }),
        }),
      ),
      place(0, { role: "broker" }),
    ],
  });

test("what a refresh weighs, and what it costs the master", (t) => {
  const snapshot = full();
  const facts = { snapshot, capacity: {}, events: [], mostWorkers: 256, cpus: 4, errorRate: 0 };
  const { capacity: figures } = capacityView(snapshot, 200) as { capacity: object };
  const text = JSON.stringify(statsView({ ...facts, capacity: figures }));
  const history = new History();
  for (let i = 0; i < 120; i += 1) history.take({ ...snapshot, at: (NOW + i * 5_000) as Timestamp });
  const started = performance.now();
  for (let i = 0; i < 200; i += 1) {
    JSON.stringify(capacityView(snapshot, 200));
    JSON.stringify(statsView({ ...facts, capacity: figures }));
  }
  const each = (performance.now() - started) / 200;
  console.log(`a refresh at 16 workers: ${text.length} bytes (<= 10240); capacity and stats cost ${each.toFixed(2)} ms`);
  assert.ok(text.length <= 10_240);
  t.diagnostic(`history at first load: ${JSON.stringify(history.lines()).length} bytes`);
});

test("3.8: the error rate is that of the last minute, and connections are those of all workers", () => {
  const history = new History();
  assert.equal(history.errorRate(), null, "no answer yet");
  const take = (i: number, served: number, status5xx: number, refused5xx = 0): void => {
    const counters = { ...noCounters(), served, status5xx, refused5xx };
    const places = [place(0, { child: child({ connections: 40 }) }), place(1, { child: child({ connections: 2 }) })];
    history.take({ ...statusWith({ counters, places }), at: (NOW + i * 5_000) as Timestamp });
  };
  take(0, 1_000, 900);
  take(1, 1_000, 900);
  assert.equal(history.errorRate(), null, "what happened before it looked does not count");
  take(2, 1_400, 920, 10);
  assert.equal(history.errorRate(), 0.025, "deliberate refusals are no errors");
  for (let i = 3; i <= 14; i += 1) take(i, 1_400 + i, 920, 10);
  assert.equal(history.errorRate(), 0, "a minute later they are over");
  assert.equal(history.lines().connections.at(-1), 42);
});

test("the lines of a worker have a gap where a figure is not known", async () => {
  const history = new History();
  const facts = [child({ rss: 52_428_800, elu: 0.5 }), child({ rss: null, elu: null }), null];
  for (const [i, one] of facts.entries())
    history.take({ ...statusWith({ places: [place(0, { child: one })] }), at: (NOW + i * 5_000) as Timestamp });
  const [line] = history.lines().workers;
  assert.deepEqual([line?.rss, line?.elu], [[50, null, null], [0.5, null, null]]); // prettier-ignore
  const { knownRuns } = (await import(new URL("../../src/admin/dashboard/draw.js", import.meta.url).href)) as {
    knownRuns(values: readonly (number | null)[]): unknown;
  };
  assert.deepEqual(knownRuns([null, 1, 2, null, null, 3]), [{ from: 1, run: [1, 2] }, { from: 5, run: [3] }]); // prettier-ignore
  assert.deepEqual(knownRuns([]), []);
});

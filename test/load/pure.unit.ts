/** The arithmetic of a load run: chance, pacing, shapes, the search, and what is believed. */
import assert from "node:assert/strict";
import test from "node:test";
import { fc } from "../support/fast-check.ts";
import { bucketOf, Histogram, upperBound } from "../../src/base/histogram.ts";
import { ms, seconds } from "../../src/base/units.ts";
import { Cookies } from "../../src/load/cookies.ts";
import { divide } from "../../src/load/crew.ts";
import { search, searched, type Search } from "../../src/load/find-max.ts";
import { along, inProportion, intended, pause, shares, untilNext } from "../../src/load/pacing.ts";
import { pick, random } from "../../src/load/random.ts";
import { saturated, slipLimit, slipQuantile } from "../../src/load/selfcheck.ts";
import { classOf } from "../../src/load/profile.ts";
import { figuresOf, type ServerSample } from "../../src/load/server.ts";
import { held, ladder, LADDER, lasts, mean, peak, stages } from "../../src/load/shape.ts";
import { Tally } from "../../src/load/tally.ts";
import { parseThreshold } from "../../src/load/thresholds.ts";
import { meanThink, possible } from "../../src/load/traffic.ts";
import { Window } from "../../src/load/window.ts";

test("the same seed and user choose alike; another seed does not; shares come out as weighted", () => {
  const draw = (seed: number, user: number): number[] => Array.from({ length: 5 }, random(seed, user));
  assert.deepEqual(draw(1, 7), draw(1, 7));
  assert.notDeepEqual(draw(1, 7), draw(2, 7));
  assert.notDeepEqual(draw(1, 7), draw(1, 8));
  const chance = random(3);
  const counts = { read: 0, write: 0, export: 0 };
  const mix = [
    { name: "read", weight: 60 },
    { name: "write", weight: 30 },
    { name: "export", weight: 10 },
  ] as const;
  for (let i = 0; i < 20_000; i += 1) counts[pick(mix, chance).name] += 1;
  for (const { name, weight } of mix) assert.ok(Math.abs(counts[name] / 200 - weight) < 1.5, `${name}: ${counts[name]}`);
});

test("pauses and arrivals keep their mean, and nothing is negative", () => {
  const chance = random(9);
  const average = (of: () => number): number => Array.from({ length: 50_000 }, of).reduce((a, b) => a + b, 0) / 50_000;
  assert.ok(Math.abs(average(() => pause(1_000, chance)) - 1_000) < 10);
  assert.ok(Math.abs(average(() => untilNext(200, chance)) - 5) < 0.1);
  fc.assert(
    fc.property(fc.integer(), fc.double({ min: 0.01, max: 1e5, noNaN: true }), (seed, rate) => {
      const wait = untilNext(rate, random(seed));
      return wait >= 0 && Number.isFinite(wait);
    }),
  );
});

test("a late timer is forgiven two milliseconds and not more: beyond it counts from the intended moment", () => {
  assert.deepEqual([intended(100, 100.5), intended(100, 102), intended(100, 103), intended(100, 900)], [100.5, 102, 100, 100]);
});

test("a ramp is a straight line that ends where it says; parts add up to the whole", () => {
  const line = { from: 0, to: 300, overMs: 600 };
  assert.deepEqual(
    [-5, 0, 300, 600, 900].map((at) => along(line, at)),
    [0, 0, 150, 300, 300],
  );
  assert.equal(along({ from: 7, to: 7, overMs: 0 }, 3), 7);
  fc.assert(
    fc.property(fc.nat(30_000), fc.integer({ min: 1, max: 16 }), (whole, parts) => {
      const of = shares(whole, parts);
      return of.reduce((a, b) => a + b, 0) === whole && Math.max(...of) - Math.min(...of) <= 1;
    }),
  );
  const weights = fc.array(fc.nat(5_000), { minLength: 1, maxLength: 16 }).filter((all) => all.some((weight) => weight > 0));
  fc.assert(
    fc.property(fc.nat(1_000_000_000), weights, (whole, of) => {
      const all = of.reduce((a, b) => a + b, 0);
      const parts = inProportion(whole, of);
      const fair = parts.every((part, i) => Math.abs(part - (whole * (of[i] ?? 0)) / all) <= 1 && (part === 0 || of[i] !== 0));
      return fair && parts.reduce((a, b) => a + b, 0) === whole;
    }),
  );
});

test("0.18, 1.6: the ladder is the one people know, with its labels; stages go on where the one before ended", () => {
  const steps = ladder(LADDER, seconds(20));
  assert.deepEqual(
    steps.map(({ label, to, warmMs }) => [label, to, warmMs]),
    [
      ["baseline", 5, 2_000],
      ["fluid", 10, 2_000],
      ["medium", 25, 2_000],
      ["half load", 50, 2_000],
      ["goal", 100, 2_000],
      ["margin", 200, 2_000],
    ],
  );
  const launch = stages(
    [10, 30, 5].map((over, i) => ({ over: ms(over * 60_000), to: [300, 300, 0][i] ?? 0 })),
    "closed",
  );
  assert.deepEqual(launch.map(({ label, from, to }) => [label, from, to]), [["0→300", 0, 300], ["hold 300", 300, 300], ["300→0", 300, 0]]); // prettier-ignore
  assert.deepEqual([lasts(launch), peak(launch), launch.map(mean)], [45 * 60_000, 300, [150, 300, 150]]);
  assert.throws(() => stages([{ over: seconds(1), to: 0 }], "closed"), /nobody ever comes/);
});

test("a step is divided among threads without losing a user or a request", () => {
  const parts = divide({ ...held("closed", 101, seconds(5)), most: 1_000 }, 4);
  assert.deepEqual([parts.map(({ to }) => to), parts.map(({ most }) => most)], [[26, 25, 25, 25], [257, 248, 247, 248]]); // prettier-ignore
  assert.deepEqual(
    divide(held("open", 10, seconds(5)), 4).map(({ to, most }) => [to, most]),
    Array.from({ length: 4 }, () => [2.5, Infinity]),
  );
});

test("the search for the most ends within a sixteenth of it, whatever it is", () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 30_000 }), fc.integer({ min: 1, max: 100 }), (truth, first) => {
      let state: Search = search(first);
      let tries = 0;
      for (; state.is !== "found"; tries += 1) state = searched(state, state.next <= truth, 20_000);
      assert.ok(tries <= 30, `${tries} tries`);
      assert.ok(state.good <= truth && state.good <= 20_000);
      if (state.bad === undefined) assert.ok(truth >= 20_000);
      else assert.ok(state.bad > truth && state.bad - state.good <= Math.max(1, state.bad / 16), `${state.good} to ${state.bad}`);
    }),
  );
});

test("a finer histogram is at most 1/128 too high, and merges from threads", () => {
  fc.assert(
    fc.property(fc.double({ min: 1, max: 3.4e10, noNaN: true }), (micros) => {
      const bound = upperBound(bucketOf(micros, 7), 7);
      return bound >= Math.floor(micros) && bound <= micros * (1 + 1 / 128) + 1;
    }),
  );
  const [a, b] = [new Histogram(7), new Histogram(7)];
  for (let i = 1; i <= 1_000; i += 1) (i % 2 === 0 ? a : b).record(i);
  a.merge(b.takeDelta());
  const p95 = a.quantile(0.95) ?? 0;
  assert.ok(p95 >= 950 && p95 <= 958, `${p95}`);
});

test("tallies of threads add up: counts, reasons, endpoints, extremes; a flood of reasons is bounded", () => {
  const [one, two, all] = [new Tally(), new Tally(), new Tally()];
  one.record("read", { fate: "ok", why: "", bytes: 10 }, 5);
  one.record("read", { fate: "refused", why: "queue", bytes: 0 }, 1);
  two.record("write", { fate: "ok", why: "", bytes: 5 }, 500);
  two.record("write", { fate: "timeout", why: "timeout", bytes: 0 }, 10_000);
  for (const tally of [one, two]) all.add(tally.takeDelta());
  one.record("read", { fate: "error", why: "HTTP 500", bytes: 0 }, 3);
  all.add(one.takeDelta());
  assert.deepEqual([all.requests, all.fates.ok, all.bytes, all.minMs, all.maxMs, all.latency.count], [5, 2, 15, 5, 500, 2]);
  assert.deepEqual([...all.whys].sort(([a], [b]) => a.localeCompare(b)), [["HTTP 500", 1], ["refused: queue", 1], ["timeout", 1]]); // prettier-ignore
  const { failed, refused, sumMs, minMs, maxMs } = all.endpoints.get("read") ?? {};
  assert.deepEqual([failed, refused, sumMs, minMs, maxMs], [1, 1, 5, 5, 5]);
  for (let i = 0; i < 1_000; i += 1) all.record("read", { fate: "error", why: `E${i}`, bytes: 0 }, 1);
  assert.ok(all.whys.size <= 41);
});

test("what is done in a step is what came in its time, whenever it was asked for; where requests are counted there is no time", async () => {
  const good = { fate: "ok", why: "", bytes: 1 } as const;
  const window = new Window(100);
  assert.equal(window.enter(99, 99, false), undefined);
  window.came(good); // to that one
  const [soon, late] = [window.enter(101, 101, false), window.enter(102, 102, false)];
  soon?.("x", good, 105);
  window.came(good);
  window.came({ fate: "error", why: "HTTP 500", bytes: 1 });
  const closed = window.close();
  late?.("x", good, 9_000);
  window.came(good);
  await closed;
  assert.deepEqual([window.tally.inTime, window.tally.fates.ok], [2, 2]);
  const counted = new Window(0, 1);
  const only = counted.enter(0, 0, false);
  const done = counted.close();
  only?.("x", good, 7);
  counted.came(good);
  await done;
  assert.equal(counted.tally.inTime, 1);
});

test("cookies: taken, replaced, taken away by age and date, and never more than a browser keeps", () => {
  const jar = new Cookies();
  jar.take(["sid=a=b; Path=/; HttpOnly", "  lang = fr ", "broken", "=nameless"]);
  assert.equal(jar.line(), "sid=a=b; lang=fr");
  jar.take(["lang=; Max-Age=0", "sid=c; Expires=Thu, 01 Jan 1970 00:00:00 GMT"]);
  assert.equal(jar.line(), undefined);
  jar.take(Array.from({ length: 500 }, (_, i) => `c${i}=1`));
  jar.take([`big=${"x".repeat(5_000)}`]);
  assert.equal(jar.line()?.split("; ").length, 50);
});

test("a step is invalid when its generator is: busy, or later than a tenth of the limit, judged where the limit is", () => {
  const [p95, p99] = [parseThreshold("http_req_duration: p(95)<500"), parseThreshold("http_req_duration: p(99)<200")];
  assert.deepEqual([slipLimit([p95], 9), slipLimit([p95, p99], 9), slipLimit([], 9), slipLimit([p95], 2_000)], [50, 20, 10, 200]);
  assert.deepEqual([slipQuantile([p95]), slipQuantile([p95, p99]), slipQuantile([])], [0.95, 0.99, 0.95]);
  assert.equal(saturated({ elu: 0.5, slipMs: 49, cpu: 0.5 }, 50), undefined);
  assert.match(saturated({ elu: 0.95, slipMs: 1, cpu: 1 }, 50) ?? "", /95 % busy/);
  assert.match(saturated({ elu: 0.2, slipMs: 51, cpu: 1 }, 50) ?? "", /51 ms late/);
});

test("the server's figures are what grew within the step", () => {
  const about = { cpus: 2, memoryBytes: 1_000, workers: 2, workerConnections: 9, cacheTtlMs: 1, tables: 1, readsPerMinute: 60 };
  const sample = (at: number, more: Partial<ServerSample> = {}): ServerSample => ({
    at,
    cpuSeconds: at / 1_000,
    rssBytes: 100,
    elu: 0.1,
    hits: 0,
    stale: 0,
    misses: 0,
    upstreamCalls: 5,
    quota: { used: 1, limit: 51, locked: false },
    full: false,
    workers: 2,
    deaths: 0,
    machineCpu: undefined,
    ...more,
  });
  const quota = { used: 0, limit: 51, locked: false };
  const figures = figuresOf(
    [sample(0), sample(5_000, { rssBytes: 600 }), sample(10_000, { hits: 9, misses: 1, upstreamCalls: 7, quota })],
    10,
    { machine: about, about },
  );
  assert.deepEqual([figures?.cpu, figures?.rss, figures?.hitRatio, figures?.upstreamCalls, figures?.quota?.used], [0.5, 0.6, 0.9, 2, 1]);
  assert.equal(figuresOf([sample(0)], 10, { machine: about, about }), undefined);
  const away = [sample(0), sample(5_000, { quota: { ...quota, used: 40 } }), sample(10_000, { quota: undefined })];
  assert.equal(figuresOf(away, 10, { machine: about, about })?.quota?.used, 40, "a broker that is away at the end");
});

test("the mean pause is over requests, and what can't be asked leaves the mix", () => {
  const create = { name: "create", weight: 100, requests: 5, thinkMs: 24_000 };
  const view = { name: "view", weight: 200, requests: 3, thinkMs: 20_000 };
  assert.equal(Math.round(meanThink([create, view])), 21_818);
  const endpoint = { name: "/", class: "read", weight: 1, method: "GET", path: "/" } as const;
  assert.deepEqual(possible({ read: 60, write: 30, export: 0 }, [endpoint]), {
    mix: { read: 60, write: 0, export: 0 },
    missing: ["write"],
  });
});

test("a name's class is that of its first word that has one; parts of words mean nothing", () => {
  const named = {
    read: ["view_address", "viewAddress", "list_posts", "read", "lecture", "visualisation", "get-updates"],
    write: ["add", "add_score", "create", "updates", "post", "écriture", "crée_action", "ajouter", "WRITE", "HTTPPost"],
    export: ["export", "exportView", "téléchargement", "download_list"],
    none: ["address", "mediate", "poster", "reload", "spread"],
  };
  for (const [kind, names] of Object.entries(named)) for (const name of names) assert.equal(classOf(name) ?? "none", kind, name);
});

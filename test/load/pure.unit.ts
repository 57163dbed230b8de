/** The arithmetic of a load run: steps, samples of the target, pauses. */
import assert from "node:assert/strict";
import test from "node:test";
import { ms, seconds } from "../../src/base/units.ts";
import { classOf } from "../../src/load/profile.ts";
import { figuresOf, type ServerSample } from "../../src/load/server.ts";
import { ladder, LADDER, lasts, mean, peak, stages } from "../../src/load/shape.ts";
import { meanThink, possible } from "../../src/load/traffic.ts";

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

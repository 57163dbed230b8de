import assert from "node:assert/strict";
import test from "node:test";
import { fc } from "../support/fast-check.ts";
import { noCounters } from "../../src/base/counters.ts";
import { readFromChild } from "../../src/base/fromchild.ts";
import { isFromMaster, type Beat, type SocketAddress } from "../../src/base/protocol.ts";
import { ms } from "../../src/base/units.ts";

const beat: Beat = {
  type: "beat",
  seq: 1,
  inFlight: 0,
  connections: 2,
  elu: 0.5,
  delay: ms(1),
  heap: 1,
  rss: 1,
  full: false,
  counters: noCounters(),
  latency: [[3, 1]],
};

const address: SocketAddress = { path: null, host: "127.0.0.1", port: 9_000, ipv6Only: false, nth: 0 };

test("every message of ours is read back as it is", () => {
  for (const message of [
    beat,
    {
      ...beat,
      upstream: {
        state: "ok",
        message: "",
        quota: { used: 1, limit: 51, lockedUntil: 0 },
        tables: [
          { name: "players", rows: 1, version: 1, warnings: 0, checkedAt: 1, ttl: 5, stretchedTo: 9, failure: "no", cause: "quota" },
        ],
        pace: { planned: 13.3, budget: 8, others: 7, floor: 9_000 },
        spreadsheets: [{ id: "s", breaker: "open", failures: 3, retryAt: 5, message: "no" }],
      },
    },
    { type: "ready", where: "127.0.0.1:1" },
    { type: "drained", served: 3 },
    { type: "fatal", exit: 4, code: "DROVER_E_APP", message: "no" },
    { type: "wants", what: "tables" },
    { type: "worn", served: 1_000 },
    { type: "handles", signal: "SIGUSR1" },
    { type: "bind", id: 1, address },
    { type: "unbind", address: { ...address, path: "/run/x.sock", host: null } },
  ])
    assert.deepEqual(readFromChild(structuredClone(message)), message);
});

test("what an application makes up is no message", () => {
  const hostile: unknown[] = [
    null,
    1,
    "ready",
    [],
    {},
    { type: "constructor" },
    { type: "__proto__" },
    { type: "toString" },
    { ...beat, seq: -1 },
    { ...beat, counters: {} },
    { ...beat, latency: [[1]] },
    { ...beat, elu: Number.NaN },
    { type: "wants", what: "everything" },
    { type: "fatal", exit: 4, code: "x".repeat(101), message: "" },
    { ...beat, upstream: { state: "fine" } },
    { type: "bind", id: 1, address: { ...address, port: 65_536 } },
    { type: "bind", id: 1, address: { ...address, path: "x".repeat(109) } },
    { type: "unbind", address: { ...address, nth: 0.5 } },
  ];
  const upstream = { state: "ok", message: "", quota: { used: 1, limit: 51, lockedUntil: 0 }, tables: [] };
  const parts = [{ pace: {} }, { pace: null }, { spreadsheets: {} }, { spreadsheets: [{ id: "s", breaker: "ajar" }] }];
  hostile.push(...parts.map((part) => ({ ...beat, upstream: { ...upstream, ...part } })));
  for (const raw of hostile) assert.equal(readFromChild(raw), undefined, JSON.stringify(raw));
});

test("no input throws", () => {
  fc.assert(
    fc.property(fc.anything(), (raw) => {
      readFromChild(raw);
      isFromMaster(raw);
    }),
  );
});

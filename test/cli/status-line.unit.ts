import assert from "node:assert/strict";
import test from "node:test";
import type { Health } from "../../src/base/protocol.ts";
import type { UpstreamReport } from "../../src/base/upstreamreport.ts";
import { slotsState } from "../../src/base/slots.ts";
import { statusLine, type StatusFacts } from "../../src/cli/status-line.ts";
import type { Instant } from "../../src/base/units.ts";
import { initialMaster, type Master, type PlaceId } from "../../src/master/core/model.ts";

const health: Health = { status: "ok", generation: 3, workers: { ready: 8, target: 8 }, broker: "ready", upstream: "ok", demo: false };
const upstream: UpstreamReport = { state: "ok", message: "", quota: { used: 4, limit: 60, lockedUntil: 0 as never }, tables: [] };
const beat = (connections: number) => ({ role: "worker", lastBeat: { connections } }) as never;
const running: Master = { ...initialMaster(1), booted: true };

const line = (more: Partial<StatusFacts>): string =>
  statusLine({ state: running, health, upstream, children: [beat(5), beat(7)], ...more });

test("everything well", () => {
  assert.equal(line({}), "8/8 workers, gen 3, HEALTHY, quota 4/60, 12 connections");
});

test("an application without tables has no quota; the demo says so", () => {
  const own: Health = { ...health, broker: "none", upstream: "never" };
  assert.equal(line({ health: own, upstream: undefined, children: [] }), "8/8 workers, gen 3, HEALTHY, 0 connections");
  assert.equal(line({ health: { ...health, demo: true } }), "8/8 workers, gen 3, HEALTHY, quota 4/60, 12 connections, demo");
});

test("how many are in, and the words for nearly and quite full", () => {
  const slots = (used: number): string => line({ slots: slotsState(used, 200) });
  assert.equal(slots(12), "8/8 workers, gen 3, HEALTHY 12/200, quota 4/60, 12 connections");
  assert.match(slots(160), /, WARNING 160\/200, /);
  assert.match(slots(250), /, FULL 250\/200, /);
  assert.match(
    line({ slots: slotsState(1, 2), health: { ...health, status: "degraded", broker: "away" } }),
    /DEGRADED \(broker away\) 1\/2, /,
  );
});

test("what is wrong is named", () => {
  const worse: Health = { ...health, status: "degraded", workers: { ready: 7, target: 8 }, broker: "away", upstream: "locked" };
  assert.equal(
    line({ health: worse, children: [] }),
    "7/8 workers, gen 3, DEGRADED (workers missing; broker away; Google locked), quota 4/60, 0 connections",
  );
});

test("starting, reloading, rolled back, stopping", () => {
  const starting: Health = { ...health, status: "degraded", generation: 1, workers: { ready: 2, target: 8 } };
  assert.match(line({ state: initialMaster(1), health: starting }), /^2\/8 workers, gen 1, STARTING, /);
  const roll = { generation: 4, from: 3, left: ["worker/0", "worker/1"] as PlaceId[], since: 0 as Instant } as unknown as NonNullable<
    Master["roll"]
  >;
  const at = (more: object): string => line({ state: { ...running, roll: { ...roll, ...more } } });
  assert.match(at({ proven: false }), /HEALTHY, reload: gen 4 is tried, 2 to go, quota/);
  assert.match(at({ proven: true }), /reload: gen 4 rolls, 2 to go/);
  assert.match(at({ proven: true, back: "it crashed" }), /HEALTHY, the reload is rolled back, /);
  const back: Master = { ...running, lastRoll: { is: "rolledBack", generation: 4, why: "it crashed" } };
  assert.match(line({ state: back }), /HEALTHY, the last reload was rolled back, /);
  const stopping = { ...back, mode: { is: "stopped" } } as Master;
  assert.equal(
    line({ state: stopping, upstream: undefined, children: [] }),
    "8/8 workers, gen 3, STOPPING (0 processes left), 0 connections",
  );
});

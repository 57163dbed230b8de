import assert from "node:assert/strict";
import test from "node:test";
import { slotsState } from "../../src/base/slots.ts";
import { renderStatus } from "../../src/cli/status.ts";
import type { UpstreamReport } from "../../src/base/upstreamreport.ts";
import { ms, type Timestamp } from "../../src/base/units.ts";
import type { PlaceId } from "../../src/master/core/model.ts";
import { child, NOW, place, statusWith } from "./statuses.ts";
import type { Status } from "../../src/cli/snapshot.ts";

const roll: NonNullable<Status["roll"]> = {
  generation: 4,
  left: ["worker/0", "worker/1"] as PlaceId[],
  total: 3,
  step: "is tried",
  back: null,
  since: ms(900),
};
const died = (how: string) => ({ name: "stuck", how, expected: false, pid: 3, generation: 1, at: (NOW - 12_000) as typeof NOW });

const WRITES: NonNullable<UpstreamReport["writes"]> = {
  delivery: "unproven",
  waiting: 0,
  waitingBytes: 0,
  oldest: ms(0),
  landed: 0,
  parked: 0,
  quota: { used: 0, limit: 51, lockedUntil: 0 as Timestamp },
  timeToSheet: { p50: null, p99: null },
};
const QUIET: UpstreamReport = { state: "ok", message: "", quota: { used: 9, limit: 51, lockedUntil: 0 as Timestamp }, tables: [] };

const tableReport = { name: "players", rows: 5, version: 7, checkedAt: NOW, warnings: 1 };

const CASES: readonly (readonly [string, Partial<Status>, RegExp])[] = [
  ["all is well", {}, /^drover 0\.1\.0  running  pid 77  up 2h05m  generation 3\n[^]*^workers    2\/2 ready$/m],
  ["starting", { state: "starting", workers: { target: 2, ready: 0 } }, /^drover 0\.1\.0  starting [^]*^workers    0\/2 ready$/m],
  [
    "columns that are hidden because of their names",
    { upstream: { ...QUIET, tables: [{ ...tableReport, hidden: ["Code postal", "Hash"] }] } },
    /^table {6}players: 1 warning \(see the log\); hidden because of the name: "Code postal", "Hash" \("hidden": \[\]/m,
  ],
  ["too many tabs", { upstream: { ...QUIET, unlisted: 3 } }, /^tables {5}3 more tabs are no tables: a tables file/m],
  ["the demo", { demo: true }, /generation 3  DEMO$/m],
  ["a canary", { state: "reloading", roll }, /^drover \S+  reloading [^]*^workers    2\/2 ready; generation 4 is tried, 2 to go$/m],
  ["a roll", { state: "reloading", roll: { ...roll, step: "rolls" } }, /; generation 4 rolls, 2 to go$/m],
  [
    "a roll that goes back",
    { state: "reloading", roll: { ...roll, step: "is rolled back", back: "worker 0: its successor exited with code 9\n  at x" } },
    /; generation 4 is rolled back, 2 to go \(worker 0: its successor exited with code 9\)$/m,
  ],
  [
    "one that was rolled back",
    { lastRoll: { is: "rolledBack", generation: 4, why: "worker 0: no answer from /healthz\nstack" } },
    /; the last reload was rolled back: worker 0: no answer from \/healthz$/m,
  ],
  [
    "a later one is under way: the old failure is no news",
    { roll, lastRoll: { is: "rolledBack", generation: 4, why: "OLD" } },
    /^(?![^]*OLD)[^]*is tried/,
  ],
  [
    "one that was refused, for two reasons",
    { refusedReload: "a setting is wrong:\n  timeout = soon\n  workers = many" },
    /; the last reload was refused: a setting is wrong: timeout = soon workers = many$/m,
  ],
  [
    "degraded: a worker is missing",
    { workers: { target: 2, ready: 1 }, health: { ...statusWith().health, status: "degraded" } },
    /^drover 0\.1\.0  degraded  [^]*^workers    1\/2 ready$/m,
  ],
  [
    "degraded: the broker is away",
    { health: { ...statusWith().health, status: "degraded", broker: "away" } },
    /^drover 0\.1\.0  degraded  [^]*^workers    2\/2 ready; the broker is away$/m,
  ],
  [
    "degraded: Google refuses",
    {
      health: { ...statusWith().health, status: "degraded", upstream: "denied" },
      upstream: {
        state: "denied",
        message: "the sheet is not shared with bot@x",
        quota: { used: 9, limit: 51, lockedUntil: NOW },
        tables: [],
      },
    },
    /^upstream   denied \(the sheet is not shared with bot@x\)  quota 9\/51 reads this minute  0 tables$/m,
  ],
  [
    "TTLs are stretched",
    {
      upstream: {
        ...QUIET,
        tables: [
          { name: "a", rows: 1, version: 1, checkedAt: NOW, warnings: 0, ttl: ms(5_000), stretchedTo: ms(9_000) },
          { name: "b", rows: 1, version: 1, checkedAt: NOW, warnings: 0, ttl: ms(60_000), stretchedTo: ms(60_000) },
        ],
        pace: { planned: 13.333, budget: 8, others: 7, floor: ms(9_000) },
      },
    },
    /^pace       TTL 5 s stretched to 9 s: the TTLs plan 13\.3 calls a minute, the quota leaves 8 for them \(7 a minute go to other calls\); 1 table concerned$/m,
  ],
  [
    "the tables' own TTLs are shown, not the setting's",
    {
      upstream: {
        ...QUIET,
        tables: [
          { name: "a", rows: 1, version: 1, checkedAt: NOW, warnings: 0, ttl: ms(5_000) },
          { name: "b", rows: 1, version: 1, checkedAt: NOW, warnings: 0, ttl: ms(60_000) },
        ],
      },
    },
    /^cache      .*, TTL 5s to 1m00s$/m,
  ],
  [
    "the account may not write",
    { upstream: { ...QUIET, writes: { ...WRITES, denied: "share it as Editor with bot@x" } } },
    /^refused    share it as Editor with bot@x$/m,
  ],
  ["TTLs are not stretched", { upstream: { ...QUIET, pace: { planned: 2, budget: 45, others: 0, floor: ms(0) } } }, /^(?![^]*pace)/],
  [
    "a breaker is open",
    {
      upstream: {
        ...QUIET,
        spreadsheets: [
          { id: "sheet-1", breaker: "closed", failures: 1, retryAt: 0 as Timestamp, message: "" },
          { id: "sheet-2", breaker: "open", failures: 7, retryAt: (NOW + 4_000) as Timestamp, message: "Google answered 500" },
          { id: "sheet-3", breaker: "half-open", failures: 3, retryAt: 0 as Timestamp, message: "" },
        ],
      },
    },
    /^breaker    open: spreadsheet sheet-2 has failed 7 times in a row and is tried again in 4s \(Google answered 500\)\nbreaker    half-open: spreadsheet sheet-3 has failed 3 times in a row and is being tried now$/m,
  ],
  [
    "a busy neighbour",
    { machine: { cpu: 0.97, ownCpu: 0.03, ram: 0.1, ramUsed: 1, ramTotal: 5 } },
    /^machine {4}CPU 97(?:\.0)? ?% \(drover 3(?:\.0)? ?%\) {2}RAM/m,
  ],
  ["limited by two", { limitedBy: ["cpu", "quota"] }, /limited by: cpu, quota$/m],
  ["memory is short", { memoryShort: true, limitedBy: ["memory"] }, /; memory is short: no second process is started$/m],
  ["nothing uses tables", { upstream: null }, /^upstream   not in use$/m],
  ["stopping", { state: "stopping" }, /^drover \S+  stopping /],
  [
    "a death",
    { deaths: { stuck: 1, rolled: 8 }, places: [place(0, { lastDeath: died("spinning at app.mjs:12 handler") })] },
    /^deaths     stuck 1, rolled 8; last: worker 0 stuck 12s ago, spinning at app\.mjs:12 handler$/m,
  ],
  [
    "a worker that backs off",
    { places: [place(0, { state: "waiting", child: null, retryIn: ms(1_200), crashes: 6 })] },
    /^worker 0    waiting   –       1 .* 6$/m,
  ],
];

for (const [what, changes, expected] of CASES) {
  test(`status: ${what}`, () => assert.match(renderStatus(statusWith(changes)), expected));
}

test("0.9: status counts the open connections of every worker", () => {
  const text = renderStatus(
    statusWith({ places: [place(0, { child: child({ connections: 41 }) }), place(1, { child: child({ connections: 7 }) })] }),
  );
  const [head = "", ...rows] = text.split("\n").slice(text.split("\n").findIndex((line) => line.includes("CONN")));
  const at = head.indexOf("CONN");
  assert.deepEqual(
    rows.slice(0, 2).map((row) => row.slice(at - 4, at + 4).trim()),
    ["41", "7"],
    text,
  );
});

test("what an application, Google or a path brought into it can't command the terminal", () => {
  const evil = "\u001b[2J\u001b]0;owned\u0007\u009b1mhe\nllo\u202e";
  const text = renderStatus(
    statusWith({
      data: evil,
      log: evil,
      refusedReload: evil,
      deaths: { [evil]: 1 },
      places: [place(0, { lastDeath: { ...died(evil), name: evil } })],
      upstream: { state: "down", message: evil, quota: { used: 0, limit: 1, lockedUntil: NOW }, tables: [] },
    }),
  );
  assert.doesNotMatch(text.replaceAll("\n", ""), /[\p{Cc}\p{Cf}]/u);
  assert.equal(text.split("\n").length, renderStatus(statusWith({ places: [place(0)] })).split("\n").length, "and adds no line");
});

test("4.13: the status shows the limit that holds now, and what sets it", () => {
  const text = (closed?: "cpu" | "latency") => renderStatus(statusWith({ slots: slotsState(100, 200, closed) }));
  assert.match(text(), /^slots +100\/200 HEALTHY {2}\(50\.0 %, 100 free\)/m);
  assert.match(text("latency"), /^slots +100\/200 HEALTHY {2}\(50\.0 %, 100 free, limited to 100 by latency: new sessions are refused\)/m);
});

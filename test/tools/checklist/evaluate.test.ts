/** Every item of the checklist, evaluated by tables. */
import assert from "node:assert/strict";
import test from "node:test";
import { minutes, ms, type Timestamp } from "../../../src/base/units.ts";
import type { Facts } from "../../../src/tools/checklist/facts.ts";
import { evaluate, isOpen, ITEMS, type ItemView } from "../../../src/tools/checklist/items.ts";
import type { Entry } from "../../../src/tools/checklist/records.ts";
import { renderMarkdown, renderText } from "../../../src/tools/checklist/render.ts";
import type { Status } from "../../../src/cli/snapshot.ts";
import { alert } from "../../admin/world.ts";
import {
  at,
  DAY,
  delivered,
  drill,
  entry,
  event,
  factsWith,
  HOUR,
  load,
  peaks,
  PROVEN,
  STATUS,
  tick,
  untick,
} from "./facts.ts";

const view = (facts: Facts, id: string): ItemView => {
  const found = evaluate(facts).find((item) => item.id === id);
  assert.ok(found, id);
  return found;
};
const withStatus = (changes: Partial<Status>): Partial<Facts> => ({
  status: { ...STATUS, ...changes },
});
const settings = (changes: Partial<Facts["settings"]>): Partial<Facts> => ({
  settings: { ...factsWith().settings, ...changes },
});
const recorded = (...entries: readonly Entry[]): Partial<Facts> => ({ records: entries });

test("2.11, 4.15: before the launch all of it is done when all of it is proven", () => {
  const open = evaluate(factsWith()).filter((item) => item.phase === "before" && isOpen(item));
  assert.deepEqual(open, []);
});

test("2.11, 4.15: the checklist has the items of the source documents", () => {
  const ids: readonly string[] = ITEMS.map(({ id }) => id);
  // 4.15: 10 users, the page, MAX + 1, external alerts; hourly, peaks, adjust; daily for a week, patterns, incidents.
  for (const id of [
    "ten-users",
    "page",
    "max-plus-one",
    "monitor",
    "alerts",
    "hourly",
    "peaks",
    "adjust",
    "daily",
    "patterns",
    "incidents",
  ])
    assert.ok(ids.includes(id), id);
  // 2.11: quotas, alarms, cache, load test, backup and rollback, cost budget, runbook, on call.
  for (const id of [
    "quota",
    "alerts",
    "cache",
    "load",
    "backup",
    "rollback",
    "budget",
    "runbook",
    "on-call",
  ])
    assert.ok(ids.includes(id), id);
  assert.equal(new Set(ids).size, ids.length);
});

const upstream = STATUS.upstream;
const CASES: readonly (readonly [
  id: string,
  changes: Partial<Facts>,
  state: ItemView["state"],
  why: RegExp,
])[] = [
  ["settings", settings({ problem: "DROVER_WORKERS is 0" }), "failed", /^DROVER_WORKERS is 0$/],
  ["settings", settings({ warnings: ["a", "b"] }), "open", /^2 warnings: a; b$/],
  [
    "service",
    withStatus({ workers: { target: 4, ready: 2 } }),
    "failed",
    /2 of 4 workers are ready/,
  ],
  [
    "service",
    withStatus({ refusedReload: "DROVER_BIND is x" }),
    "failed",
    /the last reload was refused: DROVER_BIND is x/,
  ],
  ["service", { status: "no daemon answers" }, "open", /^can't be seen: no daemon answers$/],
  ["ten-users", recorded(load(HOUR, 9)), "open", /no load run with 10 users/],
  [
    "ten-users",
    recorded(load(HOUR, 10), load(minutes(1), 5)),
    "done",
    /^PASS with 10 users on http:.*, 1h00m ago$/,
  ],
  ["ten-users", recorded(load(HOUR, 10, "FAIL")), "failed", /^FAIL with 10 users/],
  [
    "page",
    { page: { url: "http://h", page: 503, health: 200, shown: 5 } },
    "failed",
    /http:\/\/h\/ answers 503/,
  ],
  [
    "page",
    { page: { url: "http://h", page: 200, health: 503, shown: 5 } },
    "failed",
    /health answers 503/,
  ],
  [
    "page",
    { page: { url: "http://h", page: 200, health: 200, shown: 4 } },
    "failed",
    /shows 4 %, but 10 of 200 slots are taken \(5\.0 %\)/,
  ],
  ["page", { page: "no address" }, "open", /can't be seen: no address/],
  [
    "page",
    {
      ...withStatus({ slots: null }),
      page: { url: "http://h", page: 200, health: 200, shown: null },
    },
    "done",
    /no sessions/,
  ],
  [
    "page",
    {
      ...withStatus({ slots: null }),
      page: { url: "http://h", page: 200, health: 404, shown: null },
    },
    "done",
    /an application has/,
  ],
  [
    "page",
    { page: { url: "http://h", page: 200, health: 404, shown: 5 } },
    "failed",
    /health answers 404/,
  ],
  ["max-plus-one", recorded(), "open", /drill full was not run here/],
  [
    "max-plus-one",
    recorded(drill(HOUR, "full"), drill(minutes(1), "full", "fail")),
    "failed",
    /failed \(a step failed\), 1m00s ago/,
  ],
  [
    "max-plus-one",
    recorded(drill(HOUR, "full", "fail"), drill(minutes(1), "full")),
    "done",
    /passed, 1m00s ago/,
  ],
  ["max-plus-one", recorded(drill(ms(15 * DAY), "full")), "open", /15d00h ago: prove it again/],
  [
    "max-plus-one",
    recorded(drill(HOUR, "full", "pass", "0.0.9")),
    "open",
    /but with drover 0\.0\.9; this is 0\.1\.0/,
  ],
  ["max-plus-one", { records: "EACCES" }, "open", /can't be seen: EACCES/],
  ["lost-worker", recorded(drill(HOUR, "full")), "open", /drill kill-worker was not run/],
  ["rollback", recorded(drill(HOUR, "reload-under-load")), "done", /passed/],
  ["monitor", withStatus({ monitorSeen: [] }), "open", /no external monitor has asked/],
  ["monitor", withStatus({ monitorSeen: [at(minutes(1))] }), "open", /1 of 3 were seen/],
  [
    "monitor",
    withStatus({ monitorSeen: [at(minutes(40)), at(minutes(35)), at(minutes(30))] }),
    "failed",
    /asks any more: .* 30m00s ago/,
  ],
  [
    "monitor",
    {
      ...withStatus({ monitorSeen: [] }),
      timeline: { events: [], peaks: [35, 25, 5].map((n) => peaks(minutes(n), { monitor: 2 })) },
    },
    "done",
    /last request 5m00s ago/,
  ],
  ["alerts", withStatus({ alertSinks: ["log"] }), "open", /alerts go to the log alone/],
  ["alerts", { timeline: { events: [], peaks: [] } }, "open", /no test was sent to the webhook/],
  [
    "alerts",
    withStatus({ alertSinks: ["log", "webhook", "command"] }),
    "open",
    /no test was sent to the command/,
  ],
  [
    "alerts",
    {
      timeline: {
        events: [delivered(HOUR, "webhook", "ok"), delivered(minutes(1), "webhook", "failed")],
        peaks: [],
      },
    },
    "failed",
    /the webhook did not accept the test \(the webhook said failed\)/,
  ],
  [
    "alerts",
    { timeline: { events: [delivered(DAY, "webhook", "ok")], peaks: [] } },
    "done",
    /the webhook accepted a test 1d00h ago/,
  ],
  [
    "alerts",
    { status: "x", timeline: { events: [delivered(ms(20 * DAY), "webhook", "ok")], peaks: [] } },
    "open",
    /send another/,
  ],
  [
    "load",
    recorded(load(HOUR, 200), load(minutes(1), 300, "FAIL")),
    "failed",
    /FAIL with 300 users/,
  ],
  ["quota", withStatus({ upstream: null }), "skipped", /no spreadsheet/],
  [
    "quota",
    withStatus({ upstream: { ...upstream, state: "denied", message: "not shared" } as never }),
    "failed",
    /denied \(not shared\)/,
  ],
  [
    "quota",
    withStatus({ upstream: { ...upstream, state: "never" } as never }),
    "open",
    /not asked yet/,
  ],
  [
    "quota",
    withStatus({
      upstream: { ...upstream, quota: { used: 40, limit: 51, lockedUntil: 0 } } as never,
    }),
    "failed",
    /40 of 51 reads, above 70 %/,
  ],
  [
    "quota",
    withStatus({
      upstream: { ...upstream, quota: { used: 1, limit: 51, lockedUntil: at(ms(-1)) } } as never,
    }),
    "failed",
    /refuses/,
  ],
  ["cache", withStatus({ cacheTtl: ms(0) }), "failed", /DROVER_CACHE_TTL is 0/],
  [
    "cache",
    withStatus({ counters: { ...STATUS.counters, hits: 0, stale: 0 } }),
    "open",
    /no read was served from memory yet \(10 reads\)/,
  ],
  ["cache", {}, "done", /TTL 30s; 90 % of 100 reads/],
  ["backup", recorded(), "open", /no backup was made/],
  [
    "backup",
    recorded(entry(ms(25 * HOUR), { kind: "backup", file: "/b", bytes: 1 })),
    "open",
    /1d01h ago: make another/,
  ],
  ["certificate", settings({ certificateEnds: undefined }), "skipped", /proxy/],
  ["certificate", settings({ certificateEnds: at(ms(-13 * DAY)) }), "open", /13 days are left/],
  ["certificate", settings({ certificateEnds: at(ms(DAY)) }), "failed", /expired/],
  ["disk", { disks: [{ path: "/d", used: 90 }] }, "failed", /\/d 90 % full \(limit 90 %\)/],
  ["disk", { disks: "ENOENT" }, "open", /ENOENT/],
  ["budget", recorded(tick(HOUR, "budget"), untick(minutes(1), "budget")), "open", /not ticked/],
  ["budget", recorded(tick(ms(31 * DAY), "budget")), "open", /confirm it again/],
  ["budget", recorded(tick(HOUR, "budget", "40 EUR")), "done", /ticked by ops, 1h00m ago: 40 EUR/],
];

test("2.11, 4.15: each item before the launch says what is open, what failed, and why", () => {
  for (const [id, changes, state, why] of CASES) {
    const found = view(factsWith(changes), id);
    assert.equal(found.state, state, `${id}: ${found.why}`);
    assert.match(found.why, why, id);
    assert.notEqual(found.prove, "", id);
  }
});

test("4.15: the operator's word closes an item that drover can't see, until drover finds otherwise later", () => {
  const own = withStatus({ monitorSeen: [] });
  const ticked = view(
    factsWith({ ...own, ...recorded(tick(HOUR, "monitor", "its page shows 100 %")) }),
    "monitor",
  );
  assert.equal(ticked.state, "done");
  assert.match(
    ticked.why,
    /ticked by ops, 1h00m ago: its page shows 100 % \(drover: no external monitor has asked/,
  );
  const over = (tickAgo: number, drillAgo: number): string =>
    view(
      factsWith(
        recorded(tick(ms(tickAgo), "max-plus-one", "by hand"), drill(ms(drillAgo), "full", "fail")),
      ),
      "max-plus-one",
    ).state;
  assert.deepEqual([over(minutes(1), HOUR), over(HOUR, minutes(1))], ["done", "failed"]);
  assert.equal(
    view(factsWith({ ...own, ...recorded(tick(ms(31 * DAY), "monitor", "old")) }), "monitor").state,
    "open",
  );
  assert.match(
    view(factsWith(recorded(...PROVEN, tick(HOUR, "load", "x"))), "load").why,
    /^PASS with/,
    "what is proven needs no tick",
  );
});

const launched = (...entries: readonly Entry[]): Partial<Facts> =>
  recorded(tick(ms(3 * HOUR), "launch"), ...entries);
const LAUNCH: readonly (readonly [
  id: string,
  changes: Partial<Facts>,
  state: ItemView["state"],
  why: RegExp,
])[] = [
  ["launch", recorded(), "open", /not ticked/],
  ["launch", launched(), "done", /ticked by ops, 3h00m ago/],
  ["hourly", recorded(), "open", /the launch has not begun/],
  ["hourly", launched(), "open", /not checked since the launch, 3h00m ago/],
  ["hourly", launched(tick(ms(2 * HOUR), "hourly")), "open", /1 check, the last 2h00m ago/],
  [
    "hourly",
    launched(tick(ms(2 * HOUR), "hourly"), tick(minutes(60), "hourly")),
    "done",
    /2 checks, the last 1h00m ago/,
  ],
  ["hourly", recorded(tick(DAY, "hourly"), tick(HOUR, "launch")), "done", /0 checks/],
  ["peaks", launched(), "open", /no figures/],
  [
    "peaks",
    { ...launched(), timeline: { events: [], peaks: [peaks(ms(4 * HOUR), { slots: 500 })] } },
    "open",
    /no figures/,
  ],
  [
    "peaks",
    {
      ...launched(),
      timeline: {
        events: [],
        peaks: [peaks(HOUR, { rps: 90 }), peaks(minutes(30), { slots: 180 })],
      },
    },
    "done",
    /^180 slots, 90 requests\/s, p95 12 ms, CPU 40 %, RAM 50 %, 2 errors, 4 refusals$/,
  ],
  [
    "calm",
    withStatus({ alerts: [alert({ level: "warning", since: at(minutes(5)) })] }),
    "open",
    /warning capacity since 5m00s ago/,
  ],
  [
    "calm",
    withStatus({ alerts: [alert({ level: "critical" }), alert({ name: "cpu" })] }),
    "failed",
    /critical capacity .*and 1 more/,
  ],
  [
    "calm",
    withStatus({ alerts: [alert({ acked: at(minutes(1)) })] }),
    "done",
    /1 alert, all acknowledged/,
  ],
  [
    "adjust",
    withStatus({
      advice: { limit: "cpu", share: 0.9, reason: "the CPU is at 90 %", step: "more cores" },
    }),
    "open",
    /more cores/,
  ],
  ["adjust", {}, "done", /nothing to do/],
  ["end", recorded(tick(ms(4 * HOUR), "end"), tick(ms(3 * HOUR), "launch")), "open", /not ticked/],
  ["end", launched(tick(HOUR, "end")), "done", /ticked by ops, 1h00m ago/],
  ["daily", launched(), "open", /the launch is not over/],
  ["daily", launched(tick(ms(2 * HOUR), "daily"), tick(HOUR, "end")), "open", /0 of 7 days/],
  [
    "daily",
    recorded(
      tick(ms(10 * DAY), "launch"),
      tick(ms(9 * DAY), "end"),
      ...[8, 7, 6, 5, 4, 3].flatMap((n) => [
        tick(ms(n * DAY), "daily"),
        tick(ms(n * DAY), "daily"),
      ]),
    ),
    "open",
    /6 of 7 days/,
  ],
  [
    "daily",
    recorded(
      tick(ms(10 * DAY), "launch"),
      tick(ms(9 * DAY), "end"),
      ...[8, 7, 6, 5, 4, 3, 2].map((n) => tick(ms(n * DAY), "daily")),
    ),
    "done",
    /7 days/,
  ],
  ["patterns", launched(), "open", /not ticked/],
  ["patterns", launched(tick(HOUR, "patterns", "peak at 18:00")), "done", /peak at 18:00/],
  ["incidents", launched(), "done", /the timeline has no incident/],
  [
    "incidents",
    { ...launched(), timeline: { events: [event(ms(4 * HOUR), "before it")], peaks: [] } },
    "done",
    /no incident/,
  ],
  [
    "incidents",
    {
      ...launched(),
      timeline: {
        events: [event(HOUR, "worker 1 ended: stuck"), event(HOUR, "reload", "info")],
        peaks: [],
      },
    },
    "open",
    /1 of 1 not reviewed: worker 1 ended: stuck/,
  ],
  [
    "incidents",
    {
      ...launched(tick(minutes(30), "incidents")),
      timeline: { events: [event(HOUR, "a"), event(minutes(1), "b", "critical")], peaks: [] },
    },
    "open",
    /1 of 2 not reviewed: b/,
  ],
  [
    "incidents",
    {
      ...launched(tick(minutes(30), "incidents")),
      timeline: { events: [event(HOUR, "a")], peaks: [] },
    },
    "done",
    /1 incident/,
  ],
];

test("4.15: during and after the launch: hourly, peaks, alerts, advice; a week of days, patterns, incidents", () => {
  for (const [id, changes, state, why] of LAUNCH) {
    const found = view(factsWith(changes), id);
    assert.equal(found.state, state, `${id}: ${found.why}`);
    assert.match(found.why, why, id);
  }
});

test("4.15: without a daemon nothing is taken for done that only it can show, and the text says why", () => {
  const facts = factsWith({ status: "no daemon answers on /x", page: "no daemon answers on /x" });
  const items = evaluate(facts);
  const live = ["service", "page", "quota", "cache", "calm", "adjust"];
  for (const id of live) assert.equal(items.find((item) => item.id === id)?.state, "open", id);
  assert.equal(
    items.find(({ id }) => id === "max-plus-one")?.state,
    "done",
    "what was recorded can be seen",
  );
  assert.match(renderText(items, facts), /^without a running daemon: no daemon answers on \/x\n\n/);
});

test("4.15: as text and Markdown: marks, counts, the command that proves what is open, peaks and incidents", () => {
  const facts = factsWith({
    ...recorded(
      tick(ms(3 * HOUR), "launch"),
      tick(HOUR, "budget", "<b>40</b> | [x](y)\u001b[31m"),
      drill(HOUR, "full", "fail"),
    ),
    timeline: {
      events: [event(HOUR, "worker 1 ended: `stuck`")],
      peaks: [peaks(HOUR), peaks(ms(2 * DAY), { slots: 30 })],
    },
  });
  const items = evaluate(facts);
  const text = renderText(items, facts);
  assert.match(text, /^Before the launch: \d+ of 18 done\n/);
  assert.match(text, /^ {2}\[!\] max-plus-one +MAX \+ 1 is refused: drill full failed/m);
  assert.match(text, /^ +→ drover drill full --allow-live$/m);
  assert.match(text, /^ +→ drover load http:\/\/127\.0\.0\.1:8080 --users EXPECTED$/m);
  assert.match(text, /^ {2}\[x\] budget /m);
  assert.equal(text.includes("\u001b"), false);
  const markdown = renderMarkdown(items, facts, "vps_1");
  assert.match(markdown, /^# Launch checklist\n\nvps\\_1, drover 0\.1\.0, 2023-/);
  assert.match(
    markdown,
    /^- \[ \] `max-plus-one` MAX \+ 1 is refused: \*\*failed\*\*: .* \(prove it: `drover drill full --allow-live`\)$/m,
  );
  assert.match(markdown, /\\<b\\>40\\<\/b\\> \\\| \\\[x\\\]\(y\)/);
  assert.match(markdown, /^\| 2023-11-12 \| 30 slots, /m);
  assert.match(
    markdown,
    /^## Incidents: 1 event since the launch\n\n- 2023-.* warning: worker 1 ended: \\`stuck\\`$/m,
  );
});

test("a clock that was set back makes nothing younger than now fail", () => {
  const facts = factsWith({ now: (factsWith().now - DAY) as Timestamp });
  assert.deepEqual(
    evaluate(facts).filter(({ phase, state }) => phase === "before" && state === "failed"),
    [],
  );
});

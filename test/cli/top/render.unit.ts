import assert from "node:assert/strict";
import test from "node:test";
import { fc } from "../../support/fast-check.ts";
import { columnsFor } from "../../../src/cli/top/columns.ts";
import { firstModel, type Mode, type Model } from "../../../src/cli/top/model.ts";
import { render } from "../../../src/cli/top/render.ts";
import { paint, textOf } from "../../../src/cli/terminal/line.ts";
import { columnsOf } from "../../../src/cli/terminal/printable.ts";
import { ms } from "../../../src/base/units.ts";
import type { PlaceId } from "../../../src/master/core/model.ts";
import { child, NOW, place, statusWith } from "../statuses.ts";
import type { Status } from "../../../src/cli/snapshot.ts";

const size = (columns: number, rows: number) => ({ columns, rows });
const modelOf = (status: Partial<Status> = {}, changes: Partial<Model> = {}): Model => ({
  ...firstModel(size(80, 24)),
  status: statusWith(status),
  ...changes,
});
const screen = (model: Model): readonly string[] => render(model).map((line) => textOf(line).trimEnd());
const shown = (model: Model): string => screen(model).join("\n");

test("a screen of 80 columns", () => {
  const rates = new Map([[4_000, { served: 100, beatAt: 0, perSecond: 1_234.5 }]]);
  assert.deepEqual(screen(modelOf({ demo: true }, { rates, size: size(80, 12) })), [
    "drover 0.1.0  running  workers 2/2  generation 3  up 2h05m  DEMO",
    "12 req/s  p50 1.5 ms  p95 9.0 ms  5xx 0  refused 0",
    "cache 90 % from memory, 0 stale",
    "CPU 43 %  RAM 19 %  limited by nothing",
    "SLOT↑        PID GEN STATE        UP REQ/S BUSY  CONN  ELU DELAY   RSS  CPU DIED",
    "0           4000   1 ready     2m05s  1235    3    12  42%  12ms   89M  37%    0",
    "1           4001   1 ready     2m05s     –    3    12  42%  12ms   89M  37%    0",
    "broker      3999   1 ready     2m05s     –    3    12  42%  12ms   89M  37%    0",
    "",
    "",
    "",
    "? help  q quit  r reload  + - scale  R recycle  s stack",
  ]);
});

test("columns go in their order as the terminal gets narrower, and the last death has what is left", () => {
  const titles = (width: number): string => columnsFor(width).map(({ title }) => title).join(" "); // prettier-ignore
  assert.equal(titles(93), "SLOT PID GEN STATE UP REQ/S BUSY CONN ELU DELAY RSS CPU DIED LAST DEATH");
  assert.equal(titles(92), "SLOT PID GEN STATE UP REQ/S BUSY CONN ELU DELAY RSS CPU DIED");
  assert.equal(titles(80), titles(92));
  assert.equal(titles(79), "SLOT PID GEN STATE UP REQ/S BUSY ELU DELAY RSS CPU DIED");
  assert.equal(titles(60), "SLOT PID STATE REQ/S ELU DELAY RSS CPU DIED");
  assert.equal(titles(40), "SLOT STATE REQ/S ELU RSS CPU");
  assert.equal(titles(20), "SLOT STATE");
  assert.equal(titles(1), "SLOT STATE");
  const death = { name: "stuck", how: `spinning at app.mjs:12 ${"x".repeat(200)}`, expected: false, pid: 1, generation: 1, at: NOW };
  const [line = ""] = screen(modelOf({ places: [place(0, { lastDeath: death, restarts: 3 })] }, { size: size(120, 24) })).filter((l) => l.startsWith("0 ")); // prettier-ignore
  assert.match(line, / 3 stuck 0s ago, spinning at app\.mjs.*…$/);
  assert.equal(columnsOf(line), 120);
});

const HEADERS: readonly (readonly [string, Partial<Status>, Partial<Model>, RegExp])[] = [
  ["nothing heard yet", {}, { status: undefined }, /^drover top: asking the daemon …/],
  [
    "no answer",
    {},
    { away: "no daemon answers on x: none runs there" },
    /^drover 0\.1\.0 {2}AWAY [^]*stands below is old[^]*no daemon answers on x: none runs there$/m,
  ],
  [
    "degraded",
    { health: { ...statusWith().health, status: "degraded" }, workers: { ready: 1, target: 2 } },
    {},
    /degraded {2}workers 1\/2/,
  ],
  [
    "a roll with its bar",
    { state: "reloading", roll: { generation: 4, left: ["worker/1"] as PlaceId[], total: 3, step: "rolls", back: null, since: ms(1) } },
    {},
    /^drover 0\.1\.0 {2}reloading [^]*^reload \[#{16}\.{8}\] 2\/3 generation 4$/m,
  ],
  [
    "a roll that goes back, and why",
    { roll: { generation: 4, left: [], total: 3, step: "is rolled back", back: "worker 0: exited with code 9", since: ms(1) } },
    {},
    /generation 4 is rolled back[^]*^worker 0: exited with code 9$/m,
  ],
  [
    "a reload that was rolled back",
    { lastRoll: { is: "rolledBack", generation: 4, why: "no answer" } },
    {},
    /^the last reload was rolled back: no answer$/m,
  ],
  ["a reload that was refused", { refusedReload: "timeout = soon" }, {}, /^the last reload was refused: timeout = soon$/m],
  ["what binds", { limitedBy: ["cpu", "quota"] }, {}, /limited by cpu, quota$/m],
  [
    "Google is down",
    { upstream: { ...statusWith().upstream!, state: "down", message: "no route" } },
    {},
    /^upstream down \(no route\) {2}quota 4\/51/m,
  ],
  ["no tables are used", { upstream: null }, {}, /^(?![^]*upstream)/],
  [
    "the last death",
    { places: [place(1, { lastDeath: { name: "oom-heap", how: "exited", expected: false, pid: 1, generation: 1, at: NOW } })] },
    {},
    /^last death worker 1 oom-heap 0s ago, exited$/m,
  ],
];
for (const [what, status, changes, expected] of HEADERS) {
  test(`header: ${what}`, () => {
    const model = modelOf(status, changes);
    assert.match(shown(changes.status === undefined && "status" in changes ? { ...model, status: undefined } : model), expected);
  });
}

test("rows: every state, the second process of a place, a silent worker, a full one", () => {
  const places = [
    place(0, { state: "examined", child: child({ beatAge: ms(31_000) }) }),
    place(1, { state: "waiting", child: null, retryIn: ms(9_000), restarts: 7 }),
    place(2, { state: "vacant", child: null }),
    place(3, {
      child: child({ full: true, connections: 1_000 }),
      successor: child({ pid: 9, state: "starting", generation: 4, beatAge: null, delayP99: null }),
      leaving: [child({ pid: 8, state: "draining" })],
    }),
    place(4, { child: child({ delayP99: ms(4_321) }) }),
  ];
  const text = shown(modelOf({ places }));
  assert.match(text, /^0 .* examined .* {2}>31s /m);
  assert.match(text, /^1 +– +1 in 9s .* 7$/m);
  assert.match(text, /^2 +– +1 vacant/m);
  assert.match(text, /^3 .*1000! .*\n next +9 +4 starting .*\n leaving +8 +1 draining /m);
  assert.match(text, /^4 .* 4\.3s /m);
});

test("more rows than lines: it says which are shown, and never scrolls past the end", () => {
  const places = Array.from({ length: 50 }, (_, nr) => place(nr));
  const at = (scroll: number): string => shown(modelOf({ places }, { scroll, size: size(80, 14) }));
  assert.match(at(0), /^0 [^]*rows 1 to 7 of 50/m);
  assert.match(at(10), /^10 [^]*rows 11 to 17 of 50/m);
  assert.match(at(9_999), /^43 [^]*^49 [^]*rows 44 to 50 of 50/m);
});

test("sorted by a column: the largest first, those without a value last, broker and emulator below the workers", () => {
  const places = [
    place(0, { child: child({ rss: 1e8 }) }),
    place(1, { child: null, state: "vacant" }),
    place(2, { child: child({ rss: 3e8 }) }),
    place(0, { role: "broker", child: child({ rss: 9e8 }) }),
  ];
  const order = (down: boolean): string[] =>
    screen(modelOf({ places }, { sort: { by: "rss", down } })).flatMap((line) => /^(\d|broker) /.exec(line)?.[1] ?? []);
  assert.deepEqual(order(true), ["2", "0", "1", "broker"]);
  assert.deepEqual(order(false), ["0", "2", "1", "broker"]);
  assert.match(shown(modelOf({ places }, { sort: { by: "rss", down: true } })), /↓RSS/);
});

test("colours come last, and not at all when they are not wanted", () => {
  const lines = render(modelOf({ places: [place(0, { state: "killed" })] }));
  // oxlint-disable-next-line no-control-regex
  assert.match(lines.map((line) => paint(line, true)).join("\n"), /\u001b\[31;1m0 .*\u001b\[0m/);
  assert.doesNotMatch(lines.map((line) => paint(line, false)).join(""), /\p{Cc}/u);
});

const MODES: readonly Mode[] = [
  { is: "table" },
  { is: "help" },
  { is: "confirm", question: "start a new generation, one worker at a time?", order: { verb: "reload" } },
  { is: "slot", of: "recycle", typed: "12" },
  { is: "text", title: "what worker 0 does", lines: Array.from({ length: 90 }, (_, i) => `    at frame${i} (日本.js:1)`), scroll: 3 },
];
const NAMES = ["日本語", "a".repeat(300), "", "e\u0301"];

test("in every mode and size there are exactly as many lines as rows, and none is wider than the terminal", () => {
  const cases = fc.record({
    columns: fc.integer({ min: 1, max: 220 }),
    rows: fc.integer({ min: 1, max: 60 }),
    mode: fc.constantFrom(...MODES),
    workers: fc.nat(80),
    why: fc.constantFrom(undefined, ...NAMES),
    scroll: fc.nat(100),
    known: fc.boolean(),
  });
  fc.assert(
    fc.property(cases, ({ columns, rows, mode, workers, why, scroll, known }) => {
      const places = Array.from({ length: workers }, (_, nr) =>
        place(nr, { lastDeath: why === undefined ? null : { name: why, how: why, expected: false, pid: 1, generation: 1, at: NOW } }),
      );
      const message = why === undefined ? undefined : ({ text: why, tone: "bad" } as const);
      const model = modelOf({ places, refusedReload: why ?? null }, { size: size(columns, rows), mode, scroll, away: why, message });
      const lines = render(known ? model : { ...model, status: undefined });
      assert.equal(lines.length, rows);
      for (const line of lines) assert.ok(columnsOf(textOf(line)) <= columns, `${columns}: ${textOf(line)}`);
    }),
    { numRuns: 300 },
  );
});

import assert from "node:assert/strict";
import test from "node:test";
import { fc } from "../../support/fast-check.ts";
import { bandOf, step } from "../../../src/admin/alerts/engine.ts";
import { QUIET, type AlertState, type Change, type Rule } from "../../../src/admin/alerts/model.ts";
import { minutes, ms, seconds, type Instant, type Timestamp } from "../../../src/base/units.ts";

const CAPACITY: Rule = {
  name: "capacity",
  bands: [
    { level: "warning", from: 80 },
    { level: "urgent", from: 95 },
    { level: "critical", from: 100 },
  ],
  for: ms(0),
  clearance: 5,
  calm: seconds(30),
};
const LATENCY: Rule = { name: "latency", bands: [{ level: "warning", from: 500 }], for: minutes(3), clearance: 50, calm: seconds(30) };

interface Told {
  readonly at: number;
  readonly change: Change;
  readonly from: number;
  readonly to: number;
}

/** Plays values, each `every` seconds; undefined: nothing to judge. */
function play(rule: Rule, values: readonly (number | undefined)[], every = 5): { told: Told[]; state: AlertState } {
  let state = QUIET;
  const told: Told[] = [];
  for (const [i, value] of values.entries()) {
    const now = i * every * 1_000;
    const reading = value === undefined ? undefined : { value, text: `at ${value}` };
    const [next, change] = step(rule, state, reading, { now: now as Instant, wall: now as Timestamp });
    if (change !== undefined) told.push({ at: now / 1_000, change, from: state.band, to: next.band });
    state = next;
  }
  return { told, state };
}
const changes = (rule: Rule, values: readonly (number | undefined)[], every?: number): string[] =>
  play(rule, values, every).told.map(({ at, change, to }) => `${at} ${change} ${to}`);
const times = <T>(n: number, value: T): T[] => Array.from({ length: n }, () => value);

const TABLE: readonly (readonly [string, Rule, readonly (number | undefined)[], readonly string[]])[] = [
  ["79.9 is quiet", CAPACITY, times(20, 79.9), []],
  ["80 warns at once, and once", CAPACITY, times(20, 80), ["0 raised 0"]],
  ["to full: three notices", CAPACITY, [70, 82, 96, 100, 100], ["5 raised 0", "10 escalated 1", "15 escalated 2"]],
  ["full at once is one notice, the gravest", CAPACITY, [0, 125, 125], ["5 raised 2"]],
  ["76 after 80 is still one alert", CAPACITY, [80, ...times(20, 76)], ["0 raised 0"]],
  ["below 75 for half a minute ends it", CAPACITY, [80, ...times(8, 74)], ["0 raised 0", "35 cleared -1"]],
  ["below 75 for 25 s does not", CAPACITY, [80, ...times(6, 74), 80, ...times(6, 74), 80], ["0 raised 0"]],
  ["from full to 91: it eases to urgent, not further", CAPACITY, [100, ...times(10, 91)], ["0 raised 2", "35 eased 1"]],
  ["from full to 50: it is over in one notice", CAPACITY, [100, ...times(10, 50)], ["0 raised 2", "35 cleared -1"]],
  ["2 min 55 s of slowness is none", LATENCY, [...times(36, 900), 100], []],
  ["3 min of slowness is", LATENCY, times(40, 900), ["180 raised 0"]],
  ["one quick moment begins it anew", LATENCY, [...times(30, 900), 499, ...times(40, 900)], [`${31 * 5 + 180} raised 0`]],
  ["what can't be seen keeps firing", CAPACITY, [85, ...times(50, undefined)], ["0 raised 0"]],
  ["for an hour, until it is seen to be over", CAPACITY, [85, ...times(720, undefined), ...times(8, 0)], ["0 raised 0", "3635 cleared -1"]],
];

for (const [name, rule, values, expected] of TABLE) test(`${rule.name}: ${name}`, () => assert.deepEqual(changes(rule, values), expected));

test("it tells value and peak as they are, and remembers that somebody has seen it until it grows", () => {
  const { state } = play(CAPACITY, [85, 92, 88]);
  assert.deepEqual([state.raised?.value, state.raised?.peak, state.raised?.text, state.raised?.at], [88, 92, "at 88", 0]);
  const seen = { ...state, acked: 1 as Timestamp };
  const at = { now: 20_000 as Instant, wall: 20_000 as Timestamp };
  assert.equal(step(CAPACITY, seen, { value: 90, text: "" }, at)[0].acked, 1);
  assert.equal(step(CAPACITY, seen, { value: 96, text: "" }, at)[0].acked, undefined, "a graver one is new");
});

test("an alert keeps the words of its level while the value is below it, and has new ones when it eases", () => {
  const waits = play(CAPACITY, [100, 0, 0]).state;
  assert.deepEqual([waits.band, waits.raised?.text, waits.raised?.value], [2, "at 100", 0], "never the words: critical at 0");
  const eased = play(CAPACITY, [100, ...times(8, 91)]).state;
  assert.deepEqual([eased.band, eased.raised?.text, eased.raised?.peak], [1, "at 91", 100]);
});

test("a reload that takes away the band it is in leaves it in the highest there is", () => {
  const { state } = play(CAPACITY, [100]);
  const fewer = { ...CAPACITY, bands: CAPACITY.bands.slice(0, 2) };
  const [next, change] = step(fewer, state, { value: 100, text: "" }, { now: 5_000 as Instant, wall: 5_000 as Timestamp });
  assert.deepEqual([next.band, change], [1, undefined]);
});

const rules = fc
  .record({
    steps: fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 3 }),
    wait: fc.integer({ min: 0, max: 60 }),
    calm: fc.integer({ min: 0, max: 60 }),
    clearance: fc.integer({ min: 0, max: 10 }),
  })
  .map(({ steps, wait, calm, clearance }): Rule => {
    let from = 0;
    const levels = ["warning", "urgent", "critical"] as const;
    const bands = steps.map((by, i) => ({ level: levels[i] ?? "critical", from: (from += by) }));
    return { name: "cpu", bands, for: seconds(wait), calm: seconds(calm), clearance };
  });
const series = fc.array(fc.record({ wait: fc.integer({ min: 1, max: 30 }), value: fc.integer({ min: -5, max: 130 }) }), { maxLength: 80 });

test("model: nothing is told that the values do not bear out, nothing twice, and nothing is kept back", () => {
  fc.assert(
    fc.property(rules, series, (rule, points) => {
      const seen: { at: number; value: number }[] = [];
      let [state, now] = [QUIET, 0];
      for (const { wait, value } of points) {
        now += wait * 1_000;
        seen.push({ at: now, value });
        const [next, change] = step(rule, state, { value, text: "" }, { now: now as Instant, wall: now as Timestamp });
        const since = (back: number) => seen.filter((_, i) => (seen[i + 1]?.at ?? Infinity) > now - back).map((point) => point.value);
        const above = (band: number) => rule.bands[band]?.from ?? Infinity;
        // What is told has held for as long as it must: the values before the last one count too, as far as they reach into that time.
        if (change === "raised" || change === "escalated") {
          assert.ok(next.band > state.band);
          assert.equal(change === "raised", state.band === -1);
          const inTime = seen.filter((point) => point.at > now - rule.for);
          assert.ok(
            inTime.every((point) => point.value >= above(next.band)),
            `${change} to ${next.band}`,
          );
        }
        if (change === "eased" || change === "cleared") {
          assert.ok(next.band < state.band);
          assert.equal(change === "cleared", next.band === -1);
          const inTime = seen.filter((point) => point.at > now - rule.calm);
          assert.ok(
            inTime.every((point) => point.value < above(next.band + 1) - rule.clearance),
            `${change} to ${next.band}`,
          );
        }
        if (change === undefined) assert.equal(next.band, state.band);
        // And what has held for twice that is not kept back.
        if (seen[0] !== undefined && now - seen[0].at > 2 * rule.for + 61_000)
          assert.ok(next.band >= bandOf(rule, Math.min(...since(2 * rule.for + 61_000)), -1), "raised in time");
        assert.equal(next.raised === undefined, next.band === -1);
        state = next;
      }
    }),
    { numRuns: 500 },
  );
});

test("model: whatever came before, a value that stays is told once at most and then never again", () => {
  fc.assert(
    fc.property(rules, series, fc.integer({ min: -5, max: 130 }), (rule, points, last) => {
      const values = [...points.map(({ value }) => value), ...times(60, last)];
      const { told, state } = play(rule, values, 5);
      const lately = told.filter(({ at }) => at > (points.length + 50) * 5);
      assert.deepEqual(lately, []);
      assert.equal(state.band, bandOf(rule, last, state.band), "and it is where the value is");
    }),
    { numRuns: 200 },
  );
});

test("an alert that waits to be over still says what it is about", () => {
  const google: Rule = { name: "google", bands: [{ level: "urgent", from: 1 }], for: ms(0), clearance: 0, calm: seconds(30) };
  const at = (now: number) => ({ now: now as Instant, wall: now as Timestamp });
  const [down] = step(google, QUIET, { value: 1, text: "Google does not answer" }, at(0));
  const [calming, change] = step(google, down, { value: 0, text: "" }, at(5_000));
  assert.deepEqual([change, calming.raised?.value, calming.raised?.text], [undefined, 0, "Google does not answer"]);
});

/** A run second by second: what a rest is counted with, how long each lasted, and who was answered in it. */
import assert from "node:assert/strict";
import test from "node:test";
import { isSilent } from "../../src/cli/drill/workers.ts";
import type { Moment } from "../../src/load/moment.ts";
import { longestSilence, Moments } from "../../src/load/moments.ts";
import { Tally, type TallyDelta } from "../../src/load/tally.ts";

type Answers = readonly (number | "failed" | "refused")[];

/** Latencies of good answers, in ms, and what else came. */
function came(answers: Answers): TallyDelta {
  const tally = new Tally();
  for (const one of answers)
    if (typeof one === "number") tally.record("x", { fate: "ok", why: "", bytes: 1 }, one);
    else tally.record("x", { fate: one === "failed" ? "error" : "refused", why: one, bytes: 0 }, 1);
  return tally.takeDelta();
}

const figures = ({ at, lasted, perSecond, good, failed, refused, isLate }: Moment): unknown[] => [
  at,
  Math.round(lasted * 1_000) / 1_000,
  Math.round(perSecond),
  [good, failed, refused],
  isLate,
];

test("a rest is counted with the second before it: no step ends in a second in which nothing was done", () => {
  const moments = new Moments(10_000);
  moments.open("first", 12_000); // two seconds of warm-up, which are no part of a second
  assert.deepEqual(figures(moments.end([came([5, 5, "failed"])], 13_000).moment as Moment), [3, 1, 3, [2, 1, 0], false]);
  moments.end([came([5]), came([7])], 14_000);
  const rest = moments.end([came([])], 14_005);
  assert.deepEqual([rest.moment, rest.lasted, rest.tally.requests], [undefined, 0.005, 0]);
  moments.end([came([900, "refused"])], 14_200);
  moments.close();
  moments.end([came(["failed"])], 14_210);
  moments.open("second", 20_000);
  moments.end([], 20_001); // nothing, and nothing before it
  moments.end([came([1])], 20_601);
  assert.deepEqual(moments.list.map(figures), [
    [3, 1, 3, [2, 1, 0], false],
    [4.21, 1.21, 4, [3, 1, 1], false],
    [10.601, 0.6, 2, [1, 0, 0], false],
  ]);
  assert.deepEqual(
    moments.list.map(({ step, p50 }) => [step, Math.round(p50 ?? 0)]),
    [
      ["first", 5],
      ["first", 7],
      ["second", 1],
    ],
  );
});

test("what is asked in less than a rest stands for itself; late answers are told from those of the step's time", () => {
  const moments = new Moments(0);
  moments.open("short", 0);
  moments.end([came([1, 1])], 10);
  assert.equal(Math.round(moments.list[0]?.perSecond ?? 0), 200);
  moments.open("slow", 1_000);
  moments.end([came([1])], 2_000);
  moments.close();
  moments.end([came(["failed"])], 3_000);
  assert.deepEqual(
    moments.list.map(({ isLate }) => isLate),
    [false, false, true],
  );
});

test("two hours are all there, each part as fine as the others; a bad second stays visible, and nothing is lost of the sums", () => {
  const moments = new Moments(0);
  moments.open("long", 0);
  const bad = came([4_000, "failed", "refused"]);
  const good = came([1, 1]);
  for (let at = 1; at <= 7_200; at += 1) moments.end([at === 5_000 ? bad : good], at * 1_000);
  moments.end([came([2])], 7_200_100);
  const { list } = moments;
  assert.ok(list.length <= 1_200 && list.length > 600, `${list.length}`);
  const lengths = new Set(list.slice(0, -1).map(({ lasted }) => lasted));
  assert.deepEqual([lengths.size, lengths.has(8)], [1, true], "one stride for the whole run");
  const sum = (of: (moment: Moment) => number): number => list.reduce((all, moment) => all + of(moment), 0);
  assert.deepEqual([sum(({ good }) => good), sum(({ failed }) => failed), sum(({ refused }) => refused)], [14_400, 1, 1]);
  assert.ok(Math.abs(sum(({ lasted }) => lasted) - 7_200.1) < 0.01);
  assert.equal(list.at(-1)?.at, 7_200.1);
  const worst = list.find(({ failed }) => failed > 0);
  assert.ok(worst !== undefined && worst.at >= 5_000 && worst.at - worst.lasted < 5_000 && (worst.p95 ?? 0) >= 4_000);
  assert.ok(Math.abs(worst.perSecond - 17 / 8) < 0.001, `${worst.perSecond}`);
  assert.ok(list.every((moment) => moment === worst || Math.abs(moment.perSecond - 2) < 0.2));
});

test("steps are not merged with each other, nor late answers with the step's time, however long the run", () => {
  const moments = new Moments(0);
  for (let step = 0; step < 20; step += 1) {
    moments.open(`step ${step}`, step * 200_000);
    for (let i = 1; i <= 199; i += 1) {
      if (i === 151) moments.close();
      moments.end([came([i > 150 ? 9_000 : 1])], step * 200_000 + i * 1_000);
    }
  }
  const { list } = moments;
  assert.ok(list.length <= 1_200);
  for (let step = 0; step < 20; step += 1) {
    const good = (late: boolean): number =>
      list.filter((moment) => moment.step === `step ${step}` && moment.isLate === late).reduce((sum, moment) => sum + moment.good, 0);
    assert.deepEqual([good(false), good(true)], [150, 49]);
  }
  assert.ok(list.every(({ isLate, p95 }) => (p95 ?? 0) > 5_000 === isLate));
});

/** [seconds, what came] of each moment, the warm-up's left out: no moment is of it. */
type Course = readonly (readonly [number, Answers])[];

function silenceOf(course: Course, late: Course = []): number {
  const moments = new Moments(0);
  const told: Moment[] = [];
  let at = 2_500; // of a warm-up
  moments.open("drill", at);
  const run = (part: Course): void => {
    for (const [lasted, answers] of part) {
      const { moment } = moments.end([came(answers)], (at += lasted * 1_000));
      if (moment !== undefined) told.push(moment);
    }
  };
  run(course);
  moments.close();
  run(late);
  return longestSilence(told);
}

for (const [name, expected, course, late] of [
  ["nothing", 0, []],
  ["answers all the time", 0, [[1, [5]], [1, [5, 5]]]], // prettier-ignore
  [
    "a last part of a second with nothing",
    0,
    [
      [1, [5]],
      [0.005, []],
    ],
  ],
  [
    "half a second with nothing",
    0.6,
    [
      [1, [5]],
      [0.6, []],
    ],
  ],
  [
    "a second that is empty by chance",
    1,
    [
      [1, [5]],
      [1, []],
      [1, [5]],
    ],
  ],
  [
    "a warm-up, and a first second with nothing",
    1,
    [
      [1, []],
      [1, [5]],
    ],
  ],
  [
    "only failures, and only refusals",
    2,
    [
      [1, [5]],
      [1, ["failed", "failed"]],
      [1, ["refused"]],
      [1, [5]],
    ],
  ],
  [
    "one good answer among failures",
    0,
    [
      [1, ["failed", 9, "failed"]],
      [1, [5]],
    ],
  ],
  [
    "several stretches: the longest, and not their sum",
    2.5,
    [
      [1, []],
      [1, [5]],
      [1.2, []],
      [1.3, ["failed"]],
      [1, [5]],
      [1, []],
      [1, [5]],
    ],
  ],
  [
    "a stretch to the end",
    3,
    [
      [1, [5]],
      [1, []],
      [1, []],
      [1, []],
      [0.2, []],
    ],
  ],
  [
    "timers that are not exact",
    1.998,
    [
      [1, [5]],
      [0.999, []],
      [0.999, []],
      [1, [5]],
    ],
  ],
  [
    "late answers that do not come",
    1,
    [
      [1, [5]],
      [1, []],
    ],
    [
      [1, []],
      [1, ["failed"]],
    ],
  ],
] as readonly (readonly [string, number, Course, Course?])[])
  test(`silence: ${name}: ${expected} s`, () => {
    const silence = silenceOf(course, late);
    assert.equal(Math.round(silence * 1_000) / 1_000, expected);
    assert.equal(isSilent(silence), expected >= 1.95);
  });

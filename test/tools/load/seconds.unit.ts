/** A run second by second: silence, and plots of long runs. */
import assert from "node:assert/strict";
import test from "node:test";
import { isSilent } from "../../../src/cli/drill/workers.ts";
import { longestSilence, secondOf, thinned, type Second } from "../../../src/tools/load/seconds.ts";
import { measuredOf, OK } from "./measured.ts";

/** @param answers latencies in ms of good answers; -1: an error. */
const second = (at: number, answers: readonly number[], more: Partial<Second> = {}): Second => {
  const ended = answers.map((ms) =>
    ms < 0 ? { answer: { outcome: "error", reason: "HTTP 500" } as const } : { answer: OK, ms },
  );
  const when = { at, lasted: 1, step: "s", isLate: false, ...more };
  return secondOf(measuredOf(ended).counts, when);
};

test("a second has its rate, the latency of its good answers, and what failed", () => {
  const { perSecond, p50, p95, good, failed } = second(1, [5, 900, -1], { lasted: 0.5 });
  assert.deepEqual([perSecond, Math.round(p50 ?? 0), good, failed], [6, 5, 2, 1]);
  assert.ok((p95 ?? 0) >= 900);
  assert.deepEqual([second(1, [], { lasted: 0 }).perSecond, second(1, [-1]).p95], [0, undefined]);
});

test("two hours are plotted by 1,200 points at most; a bad second stays visible", () => {
  const all = Array.from({ length: 7_200 }, (_, i) =>
    second(i + 1, i === 5_000 ? [4_000, -1] : [1, 1]),
  );
  const points = thinned(all, 1_200);
  assert.ok(points.length <= 1_200 && points.length > 600, `${points.length}`);
  assert.equal(points.at(-1)?.at, 7_200);
  const worst = points.filter(({ p95 }) => (p95 ?? 0) >= 4_000);
  assert.deepEqual(worst.map(({ failed }) => Math.round(failed * 6)), [1]); // prettier-ignore
  assert.ok(points.every(({ perSecond }) => Math.abs(perSecond - 2) < 0.01));
  assert.equal(thinned(all.slice(0, 9), 1_200).length, 9);
});

/** Seconds, each as long as it is and with how many good answers, then late ones. */
type Course = readonly (readonly [lasted: number, good: number])[];
const courseOf = (course: Course, isLate = false): Second[] =>
  course.map(([lasted, good]) => second(0, good > 0 ? [5] : [-1], { lasted, isLate }));

for (const [name, expected, course, late] of [
  ["nothing", 0, []],
  [
    "answers all the time",
    0,
    [
      [1, 1],
      [1, 2],
    ],
  ],
  [
    "half a second without",
    0.6,
    [
      [1, 1],
      [0.6, 0],
    ],
  ],
  [
    "one second without",
    1,
    [
      [1, 1],
      [1, 0],
      [1, 1],
    ],
  ],
  [
    "a first second without",
    1,
    [
      [1, 0],
      [1, 1],
    ],
  ],
  [
    "two times: the longest, and not their sum",
    2.5,
    [
      [1, 0],
      [1, 1],
      [1.2, 0],
      [1.3, 0],
      [1, 1],
      [1, 0],
    ],
  ],
  [
    "a time to the end",
    3,
    [
      [1, 1],
      [1, 0],
      [1, 0],
      [1, 0],
    ],
  ],
  [
    "timers that are not exact",
    1.998,
    [
      [1, 1],
      [0.999, 0],
      [0.999, 0],
      [1, 1],
    ],
  ],
  [
    "late answers that do not come",
    1,
    [
      [1, 1],
      [1, 0],
    ],
    [
      [1, 0],
      [1, 0],
    ],
  ],
] as readonly (readonly [string, number, Course, Course?])[])
  // prettier-ignore
  test(`silence: ${name}: ${expected} s`, () => {
    const silence = longestSilence([...courseOf(course), ...courseOf(late ?? [], true)]);
    assert.equal(Math.round(silence * 1_000) / 1_000, expected);
    assert.equal(isSilent(silence), expected >= 1.95);
  });

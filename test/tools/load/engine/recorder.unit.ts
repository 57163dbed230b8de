/** One rule says which requests count: those that end after the warm-up and were sent before the time was over. */
import assert from "node:assert/strict";
import test from "node:test";
import type { Answer } from "../../../../src/tools/load/engine/counts.ts";
import { Recorder } from "../../../../src/tools/load/engine/recorder.ts";
import { OK } from "../measured.ts";

const FAILED: Answer = { outcome: "error", reason: "HTTP 500" };
const TIMEOUT: Answer = { outcome: "timeout", reason: "timeout" };
const read = (dueAt: number): { endpoint: string; dueAt: number; lateMs: number } => ({
  endpoint: "read",
  dueAt,
  lateMs: 0,
});

for (const [name, answer, ends, counts] of [
  ["answered in the warm-up: it does not count", OK, "warmup", 0],
  [
    "answered in the step's time: it counts, and its latency is from when it was due",
    OK,
    "measuring",
    1,
  ],
  ["answered after the step's time: it counts", OK, "draining", 1],
  ["never answered: it is a timeout", TIMEOUT, "draining", 1],
] as const)
  test(`a request of the warm-up, ${name}`, async () => {
    const recorder = new Recorder();
    const sent = read(100);
    recorder.start();
    recorder.begin(sent);
    if (ends === "warmup") recorder.end(sent, answer, 900);
    recorder.open();
    if (ends === "measuring") recorder.end(sent, answer, 900);
    const drained = recorder.close();
    if (ends === "draining") recorder.end(sent, answer, 900);
    await drained;
    assert.deepEqual([recorder.counts.requests, recorder.unanswered], [counts, 0]);
    assert.equal(recorder.counts.maxMs, counts === 1 && answer === OK ? 800 : 0);
  });

test("what begins after the step's time counts in the next step, if it ends after its warm-up", async () => {
  const recorder = new Recorder();
  recorder.start();
  recorder.open();
  await recorder.close();
  const [soon, late] = [read(1), read(2)];
  recorder.begin(soon);
  recorder.begin(late);
  recorder.end(soon, OK, 5);
  assert.equal(recorder.counts.requests, 0);
  recorder.stop();
  recorder.start();
  recorder.open();
  recorder.end(late, OK, 9);
  assert.deepEqual([recorder.counts.requests, recorder.counts.maxMs], [1, 7]);
});

test("a step ends with its last request, and good answers after its time are not in time", async () => {
  const recorder = new Recorder();
  const [first, second, third] = [read(1), read(2), read(3)];
  recorder.start();
  recorder.open();
  for (const sent of [first, second, third]) recorder.begin(sent);
  recorder.end(first, OK, 5);
  let isDrained = false;
  const drained = recorder.close().then(() => (isDrained = true));
  recorder.end(second, OK, 9_000);
  await Promise.resolve();
  assert.deepEqual([isDrained, recorder.unanswered], [false, 1]);
  recorder.end(third, FAILED, 9_001);
  await drained;
  const { outcomes, inTime, failed, requests } = recorder.counts;
  assert.deepEqual([outcomes.ok, inTime, failed, requests], [2, 1, 1, 3]);
});

test("so many requests may begin and not one more, and all good answers are in time", async () => {
  const recorder = new Recorder();
  const [first, second] = [read(1), read(2)];
  recorder.start(2);
  recorder.open();
  recorder.begin(first);
  assert.equal(recorder.mayBegin(), true);
  recorder.begin(second);
  assert.equal(recorder.mayBegin(), false);
  await recorder.full;
  const drained = recorder.close();
  recorder.end(first, OK, 5);
  recorder.end(second, OK, 9_000);
  await drained;
  assert.deepEqual([recorder.counts.inTime, recorder.counts.requests], [2, 2]);
});

test("logins of the warm-up are in the figures of their endpoint, and in no other", () => {
  const recorder = new Recorder();
  const login = (): { endpoint: string; dueAt: number; lateMs: number } => ({ ...read(1), endpoint: "login" }); // prettier-ignore
  recorder.start();
  for (const [sent, answer] of [
    [login(), OK],
    [login(), FAILED],
    [read(1), OK],
  ] as const) {
    // prettier-ignore
    recorder.begin(sent);
    recorder.end(sent, answer, 9);
  }
  recorder.open();
  const { counts, endpoints } = recorder;
  assert.deepEqual(
    [counts.requests, counts.reasons.size, [...endpoints.keys()]],
    [0, 0, ["login"]],
  );
  assert.deepEqual([endpoints.get("login")?.latency.count, endpoints.get("login")?.failed], [1, 1]);
});

test("a second has what ended in it, and lateness is that of requests after the warm-up", () => {
  const recorder = new Recorder();
  const [warm, first, second] = [{ ...read(1), lateMs: 500 }, read(2), { ...read(3), lateMs: 7 }];
  recorder.start();
  recorder.begin(warm);
  recorder.open();
  for (const sent of [first, second]) recorder.begin(sent);
  recorder.end(first, OK, 5);
  assert.equal(recorder.takeSecond().requests, 1);
  recorder.end(second, OK, 6);
  recorder.end(warm, OK, 7);
  assert.deepEqual([recorder.takeSecond().requests, recorder.takeSecond().requests], [2, 0]);
  assert.deepEqual([recorder.late.count, Math.round(recorder.late.quantile(1) ?? 0)], [2, 7]);
});

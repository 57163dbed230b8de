import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import test from "node:test";
import { fc } from "../../support/fast-check.ts";
import { createCourier, LONGEST_DELIVERY, MOST_WAITING, signed, type Target } from "../../../src/admin/alerts/courier.ts";
import { noticeJson } from "../../../src/admin/alerts/body.ts";
import type { Notice } from "../../../src/admin/alerts/view.ts";
import type { Post, Posted } from "../../../src/admin/alerts/post.ts";
import { minutes, type Instant, type Timestamp } from "../../../src/base/units.ts";

const notice = (id: string): Notice => ({
  id,
  alert: "capacity",
  event: "raised",
  level: "urgent",
  text: "190 of 200 slots are taken (95 %)",
  value: 95,
  threshold: 95,
  at: 1_700_000_000_000 as Timestamp,
  since: 1_700_000_000_000 as Timestamp,
  lasted: null,
});

/** A courier whose clock and webhook are moved by hand. */
function courier(over: { target?: () => Target | undefined } = {}) {
  let at = 0;
  const posts: Post[] = [];
  const done: string[] = [];
  let answers: ((posted: Posted) => void) | undefined;
  const made = createCourier({
    clock: { now: () => at as Instant, wall: () => (1_700_000_000_000 + at) as Timestamp },
    post(post) {
      assert.equal(answers, undefined, "one at a time");
      posts.push(post);
      return new Promise((resolve) => (answers = resolve));
    },
    target: over.target ?? (() => ({ url: "http://127.0.0.1:1/hook", secret: undefined })),
    body: ({ id }) => id,
    done: ({ id }, result, why) => done.push(`${id} ${result}${why === "" ? "" : `: ${why}`}`),
  });
  /** What the webhook says to the attempt under way, if any. */
  const answer = async (status: number, why = ""): Promise<void> => {
    const settle = answers;
    answers = undefined;
    settle?.({ status, why });
    await Promise.resolve();
  };
  const pass = (seconds: number): void => {
    for (let i = 0; i < seconds; i += 1) {
      at += 1_000;
      made.look();
    }
  };
  return { made, posts, done, answer, pass };
}

test("taken at the first try; one at a time, in order", async () => {
  const { made, posts, done, answer } = courier();
  made.post(notice("a"));
  made.post(notice("b"));
  assert.deepEqual(
    posts.map(({ body }) => body),
    ["a"],
  );
  await answer(204);
  assert.deepEqual(
    posts.map(({ body }) => body),
    ["a", "b"],
  );
  await answer(200);
  assert.deepEqual([done, made.waiting], [["a ok", "b ok"], 0]);
});

test("refused: tried again after 1 s, 2 s, 5 s …, under the same name, and given up after a quarter of an hour", async () => {
  const { made, posts, done, answer, pass } = courier();
  made.post(notice("a"));
  const times: number[] = [];
  for (let at = 0, seen = 0; at <= 1_200; at += 1) {
    if (posts.length > seen) {
      seen = posts.length;
      times.push(at);
      await answer(500, "oh no");
    }
    pass(1);
  }
  assert.deepEqual(times, [0, 1, 3, 8, 23, 83, 383, 983]);
  assert.equal(done.at(-1), "a lost: given up after 8 tries: it answered 500: oh no");
  assert.equal(new Set(posts.map(({ headers }) => headers["x-drover-delivery"])).size, 1);
  assert.ok(LONGEST_DELIVERY < minutes(20));
});

test("a thousand alerts into a dead webhook: a hundred wait, the oldest are lost and said", () => {
  const { made, done } = courier();
  for (let i = 0; i < 1_000; i += 1) made.post(notice(String(i)));
  assert.equal(made.waiting, MOST_WAITING);
  assert.equal(done.length, 900);
  assert.match(done[0] ?? "", /^1 lost: more than 100 alerts wait/, "the one under way is not pushed out");
});

test("a webhook that a reload takes away: what waits is lost and said; without one nothing waits", async () => {
  let target: Target | undefined = { url: "http://x/", secret: undefined };
  const { made, done, answer, pass } = courier({ target: () => target });
  made.post(notice("a"));
  await answer(500);
  target = undefined;
  pass(2);
  made.post(notice("b"));
  assert.deepEqual(done, ["a failed: it answered 500", "a lost: DROVER_ALERT_WEBHOOK is empty now"]);
  assert.equal(made.waiting, 0);
});

test("model: whatever the webhook does, every alert ends once, in time, and few wait", async () => {
  const moves = fc.array(fc.constantFrom("post", "ok", "500", "none", "pass", "wait"), { maxLength: 200 });
  await fc.assert(
    fc.asyncProperty(moves, async (steps) => {
      const { made, done, answer, pass } = courier();
      let n = 0;
      for (const step of steps) {
        if (step === "post") made.post(notice(String((n += 1))));
        else if (step === "ok") await answer(200);
        else if (step === "500") await answer(500);
        else if (step === "none") await answer(0, "ECONNREFUSED");
        else pass(step === "pass" ? 3 : 20);
        assert.ok(made.waiting <= MOST_WAITING);
      }
      for (let i = 0; i < 3 * n + 3; i += 1) {
        pass(700);
        await answer(200);
      }
      const ends = done.filter((line) => / ok$| lost/.test(line)).map((line) => Number(line.split(" ", 1)[0]));
      assert.deepEqual(
        ends.toSorted((a, b) => a - b),
        Array.from({ length: n }, (_, i) => i + 1),
      );
      assert.equal(made.waiting, 0);
    }),
    { numRuns: 60 },
  );
});

test("the signature is of the time and the body: who knows the secret can check both", () => {
  const headers = signed("{}", "x-1", { secret: "0123456789abcdef", at: 1_700_000_000 });
  const [, time = "", mac] = /^t=(\d+),v1=([0-9a-f]{64})$/.exec(headers["x-drover-signature"] ?? "") ?? [];
  assert.equal(mac, createHmac("sha256", "0123456789abcdef").update(`${time}.{}`).digest("hex"));
  assert.equal(signed("{}", "x-1", { secret: undefined, at: 1 })["x-drover-signature"], undefined);
});

test("the body: text for chats, figures for programs, and where to read on", () => {
  const body = JSON.parse(noticeJson(notice("x-1"), { host: "vps", version: "0.1.0" })) as Record<string, unknown>;
  assert.equal(body["text"], "URGENT capacity: 190 of 200 slots are taken (95 %) (drover on vps)");
  assert.deepEqual(
    [body["value"], body["threshold"], body["at"], body["runbook"]],
    [95, 95, "2023-11-14T22:13:20.000Z", "docs/operations.md#capacity"],
  );
  const own = noticeJson(notice("x-1"), { host: "vps", version: "0.1.0", runbook: "https://wiki.example/drover" });
  assert.equal((JSON.parse(own) as { runbook: string }).runbook, "https://wiki.example/drover#capacity");
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { perMinute, seconds, type Instant, type Timestamp } from "../../../src/base/units.ts";
import {
  NO_QUOTA,
  Quota,
  quotaExceeded,
  type Pool,
  type QuotaPolicy,
} from "../../../src/tools/emulator/quota.ts";

const POLICY: QuotaPolicy = {
  perUser: perMinute(60),
  overshoot: 0,
  lockout: seconds(60),
};
const EPOCH = 1_700_000_000_000;

function setup(policy: Partial<QuotaPolicy> = {}) {
  let now = 0;
  const quota = new Quota(
    { ...POLICY, ...policy },
    { now: () => now as Instant, wall: () => (EPOCH + now) as Timestamp },
  );
  return {
    at: (second: number) => void (now = second * 1_000),
    take: (pool: Pool = "read") => quota.take(pool),
    lock: () => quota.lock("read", seconds(30)),
    /** How many of n calls pass. */
    passed: (n: number, pool: Pool = "read") =>
      Array.from({ length: n }, () => quota.take(pool)).filter((r) => r === undefined).length,
  };
}

test("a minute has its limit, and a pool that has refused a call stays locked for a minute", () => {
  const q = setup();
  q.at(5);
  assert.equal(q.passed(61), 60);
  for (const second of [25, 45, 64.9]) {
    q.at(second);
    assert.equal(q.passed(1), 0, `at ${second} s, as recorded at +20 s and +40 s`);
  }
  q.at(65);
  assert.equal(q.passed(61), 60, "and then the pool is whole again");
});

test("minutes are fixed: 60 at the end of one and 60 at the start of the next pass", () => {
  const q = setup();
  q.at(59);
  assert.equal(q.passed(60), 60);
  q.at(60);
  assert.equal(q.passed(60), 60);
  assert.equal(q.passed(1), 0);
});

test("overshoot lets a tenth more pass", () =>
  assert.equal(setup({ overshoot: 0.1 }).passed(100), 66));

test("reads and writes are two pools", () => {
  const q = setup();
  assert.equal(q.passed(61, "read"), 60);
  assert.equal(q.passed(61, "write"), 60);
});

test("without a limit a pool can still be locked, and names Google's limit", () => {
  const q = setup(NO_QUOTA);
  assert.equal(q.passed(1_000), 1_000);
  q.lock();
  assert.deepEqual(q.take()?.limit, 60);
  q.at(30);
  assert.equal(q.passed(10), 10);
});

test("refused calls are not counted and do not prolong the lock", () => {
  const q = setup();
  assert.equal(q.passed(500), 60);
  q.at(59.9);
  assert.equal(q.passed(100), 0);
  q.at(60);
  assert.equal(q.passed(60), 60);
});

test("the body is Google's, and names the second in which the pool was locked", () => {
  const q = setup();
  q.at(10);
  q.passed(60);
  q.at(30);
  q.take();
  q.at(50);
  const refusal = q.take();
  assert.ok(refusal);
  assert.deepEqual(quotaExceeded(refusal).answer, {
    status: 429,
    body: {
      error: {
        code: 429,
        message:
          "Quota exceeded for quota metric 'Read requests' and limit 'Read requests per minute per user' of service 'sheets.googleapis.com' for consumer 'project_number:100000000000'.",
        status: "RESOURCE_EXHAUSTED",
        details: [
          {
            "@type": "type.googleapis.com/google.rpc.ErrorInfo",
            reason: "RATE_LIMIT_EXCEEDED",
            domain: "googleapis.com",
            metadata: {
              quota_limit_value: "60",
              service: "sheets.googleapis.com",
              consumer: "projects/100000000000",
              quota_unit: "1/min/{project}/{user}",
              quota_location: "global",
              quota_metric: "sheets.googleapis.com/read_requests",
              quota_limit: "ReadRequestsPerMinutePerUser",
              window_start_time: String(EPOCH / 1_000 + 30),
            },
          },
          {
            "@type": "type.googleapis.com/google.rpc.Help",
            links: [
              {
                description: "Request a higher quota limit.",
                url: "https://cloud.google.com/docs/quota#requesting_higher_quota",
              },
            ],
          },
        ],
      },
    },
  });
});

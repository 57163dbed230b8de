import assert from "node:assert/strict";
import test from "node:test";
import { EXIT } from "../../../src/base/exit.ts";
import { parseThreshold, USUAL, withUsual } from "../../../src/tools/load/thresholds.ts";
import { check } from "../../../src/tools/load/verdict.ts";
import { measuredOf } from "./measured.ts";

test("0.11: k6's notation is read, and login:p95<500 is a threshold of an endpoint", () => {
  const cases: [string, unknown][] = [
    ["http_req_duration: p(95)<500", ["http_req_duration", undefined, { p: 95 }, "<", 500]],
    [
      "http_req_duration{endpoint:login}: p(99.9) <= 1500.5",
      ["http_req_duration", "login", { p: 99.9 }, "<=", 1500.5],
    ],
    ["login:p95<500", ["http_req_duration", "login", { p: 95 }, "<", 500]],
    [
      "/api/tables/players: p(99) < 1.5e3",
      ["http_req_duration", "/api/tables/players", { p: 99 }, "<", 1500],
    ],
    ["p95<500", ["http_req_duration", undefined, { p: 95 }, "<", 500]],
    [
      "http_req_duration{endpoint:login}: p95<500",
      ["http_req_duration", "login", { p: 95 }, "<", 500],
    ],
    ["p(95)<500", ["http_req_duration", undefined, { p: 95 }, "<", 500]],
    ["med<20", ["http_req_duration", undefined, "med", "<", 20]],
    ["http_req_failed: rate<0.01", ["http_req_failed", undefined, "rate", "<", 0.01]],
    ["http_reqs: count>=1000", ["http_reqs", undefined, "count", ">=", 1000]],
    ["http_reqs>10", ["http_reqs", undefined, "rate", ">", 10]],
    ["timeouts==0", ["timeouts", undefined, "count", "==", 0]],
    ["target_cpu<80", ["target_cpu", undefined, "value", "<", 80]],
    ["shed: count===0", ["shed", undefined, "count", "===", 0]],
  ];
  for (const [text, expected] of cases) {
    const { metric, endpoint, statistic, operator, limit } = parseThreshold(text);
    assert.deepEqual([metric, endpoint, statistic, operator, limit], expected, text);
  }
});

test("0.11, 1.7: unless told otherwise answers stay below 500 ms, without 503, timeout or error, CPU below 80 %, memory below 50 %", () => {
  assert.deepEqual(
    USUAL.map(({ text }) => text),
    [
      "http_req_duration:p(95)<500",
      "unexpected_503==0",
      "timeouts==0",
      "errors==0",
      "http_req_shed:rate<0.01",
      "target_cpu<80",
      "target_rss<50",
    ],
  );
  assert.notEqual(EXIT.thresholds.code, 0, "a run that crosses one fails");
});

test("what can't be read, can't hold or can't fail is refused, and why", () => {
  const cases: [string, RegExp][] = [
    ["fast please", /expected METRIC: STATISTIC OPERATOR NUMBER/],
    ["constructor<5", /no metric is called constructor/],
    ["http_req_shed: rate>1", /can never hold/],
    ["http_req_durations: p(95)<500", /no metric is called http_req_durations/],
    ["http_req_duration<500", /needs a statistic/],
    ["http_req_duration: p(101)<500", /no 101th percentile/],
    ["http_req_duration: rate<5", /has no rate/],
    ["timeouts: p(95)<5", /has no p\(95\)/],
    ["http_req_duration{group:x}: p(95)<5", /expected \{endpoint:NAME\}/],
    ["timeouts{endpoint:x}==0", /not counted for each endpoint/],
    ["http_req_duration: p(95)<0", /can never hold/],
    ["http_req_duration: p(95)<-5", /can never hold/],
    ["http_req_failed: rate>1", /can never hold/],
    ["target_cpu>100", /can never hold/],
    ["timeouts<0", /can never hold/],
    ["http_req_failed: rate<2", /can never fail/],
    ["target_cpu<101", /can never fail/],
    ["http_req_failed: rate>=0", /can never fail/],
    ["http_req_duration: p(95)>0", /can never fail/],
    ["errors>=0", /can never fail/],
    ["errors==0.5", /can never hold: errors is a whole number/],
    ["errors!=0.5", /can never fail/],
    ["http_reqs: count==1.5", /can never hold/],
    ["target_cpu<=100", /can never fail/],
    ["http_req_duration: p(95)<1e999", /a finite number/],
    ["", /expected METRIC/],
    ["process.exit(1)<1", /expected METRIC/],
  ];
  for (const [text, message] of cases) assert.throws(() => parseThreshold(text), message, text);
});

test("a metric that is named has no usual threshold beside it; one of an endpoint has", () => {
  const own = withUsual([parseThreshold("p(99)<100")]).map(({ text }) => text);
  assert.deepEqual(own, ["p(99)<100", "unexpected_503==0", "timeouts==0", "errors==0", "http_req_shed:rate<0.01", "target_cpu<80", "target_rss<50"]); // prettier-ignore
  assert.ok(
    !withUsual([parseThreshold("shed<5")]).some(({ metric }) => metric === "http_req_shed"),
  ); // the same, counted otherwise
  assert.equal(
    withUsual([parseThreshold("http_req_duration{endpoint:login}: p(95)<100")]).length,
    USUAL.length + 1,
  );
});

test("a step is judged: a foreign server's CPU is not held against it, no answer at all is", () => {
  const endpoint = "read";
  const measured = measuredOf([
    { endpoint, ms: 10, times: 94 },
    { endpoint, ms: 900, times: 6 },
    { endpoint, answer: { outcome: "timeout", reason: "timeout" } },
  ]);
  const thresholds = [...USUAL, parseThreshold("http_req_failed{endpoint:read}: rate<0.001")];
  const verdicts = thresholds.map((one) => check(measured, { cpu: 0.9, rss: 0.1 }, one));
  assert.deepEqual(
    verdicts.map(({ threshold, holds }) => `${threshold.metric} ${holds}`),
    [
      "http_req_duration false",
      "unexpected_503 true",
      "timeouts false",
      "errors true",
      "http_req_shed true",
      "target_cpu false",
      "target_rss true",
      "http_req_failed false",
    ],
  );
  const nothing = USUAL.map((one) => check(measuredOf([]), undefined, one));
  assert.deepEqual(nothing.map(({ holds }) => holds), [false, true, true, true, false, true, true]); // prettier-ignore
});

test("an endpoint alone is judged by its own mean and extremes; its refusals are no failures", () => {
  const measured = measuredOf([
    { endpoint: "read", ms: 5, times: 90 },
    { endpoint: "read", ms: 5_000, times: 10 },
    { endpoint: "write", ms: 7, times: 60 },
    { endpoint: "write", answer: { outcome: "refused", reason: "rate" }, times: 40 },
  ]);
  const value = (text: string): number | undefined =>
    check(measured, undefined, parseThreshold(text)).value;
  assert.deepEqual(
    ["avg<1", "med<1", "min<1", "max<1"].map((of) =>
      Math.round(value(`http_req_duration{endpoint:read}: ${of}`) ?? 0),
    ),
    [505, 5, 5, 5_000],
  );
  assert.deepEqual(
    [value("http_req_failed{endpoint:write}: rate<0.1"), value("http_req_failed: rate<0.1")],
    [0, 0],
  );
  assert.deepEqual([value("http_req_shed: rate<0.1"), value("shed<1")], [0.2, 40]);
  assert.deepEqual(
    USUAL.map((one) => check(measured, undefined, one))
      .filter(({ holds }) => !holds)
      .map(({ threshold }) => threshold.metric),
    ["http_req_duration", "http_req_shed"],
  );
});

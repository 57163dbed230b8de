/** Slots are a resource: what a maximum refuses, by Erlang B, next to the number that the machine serves with ease. */
import assert from "node:assert/strict";
import test from "node:test";
import { erlangB, erlangsFor, timeAbove } from "../../../src/tools/plan/model/erlang.ts";
import { forecast, wantedBy, type Forecast } from "../../../src/tools/plan/model/forecast.ts";
import type { PlanInput } from "../../../src/tools/plan/model/types.ts";
import { nextStep } from "../../../src/tools/plan/model/next.ts";
import { cheapest, PRICES } from "../../../src/tools/plan/prices.ts";
import { render } from "../../../src/tools/plan/print/render.ts";
import { planJson } from "../../../src/tools/plan/print/json.ts";
import { gibibytes } from "../../../src/tools/plan/print/units.ts";
import { input } from "./fixture.ts";

function slotted(users: number, { max = 200, comfort = 150, signedIn = 1 } = {}): PlanInput {
  const made = input({ users, ram: gibibytes(4) });
  const slots = { max: max, comfort: comfort };
  return {
    ...made,
    demand: { ...made.demand, signedIn: signedIn },
    place: { ...made.place, slots },
  };
}

const answer = (made: Forecast) => ({
  forecast: made,
  bill: cheapest(PRICES, wantedBy(made)),
  prices: PRICES,
  fit: undefined,
  more: [],
  notes: [],
  next: nextStep(made, { measured: true, measureWith: undefined, foreign: false }),
});

test("4.8: 200 slots refuse 0.03 % at 160 offered, 1 % at 180, 5.4 % at 200; the comfort of 150 stands next to them", () => {
  for (const [users, refused, verdict] of [
    [160, "0.03 %", "holds"],
    [179, "0.91 %", "holds"],
    [180, "1 %", "tight"],
    [200, "5.4 %", "tight"],
  ] as const) {
    const made = forecast(slotted(users));
    const text = render(answer(made));
    assert.equal(made.verdict, verdict, `${users}`);
    assert.ok(
      text.includes(`slots    200 (comfort 150); ${users} users: ${refused} refused, `),
      text,
    );
    assert.match(text, /; refused of 160: 0\.03 %, 180: 1 %, 200: 5\.4 % \(Erlang B\)/);
  }
});

test("4.3: 600 users with 200 slots do not hold, and the next step says what to set", () => {
  const made = forecast(slotted(600));
  assert.deepEqual(
    [made.verdict, made.binding.resource, made.binding.fullAt],
    ["overload", "slots", 179],
  );
  const text = render(answer(made));
  assert.match(text, /it does NOT hold: 3\.34 × what the slots may give; 179 users are the most/);
  assert.match(
    text,
    /next +set DROVER_MAX_SLOTS=628: 200 slots refuse more than 1 % of 600 users; 150 are comfortable with 4 GiB/,
  );
  const { slots } = planJson(answer(made)) as { slots: Record<string, unknown> };
  assert.deepEqual(
    [slots["max"], slots["comfort"], slots["offered"], slots["aboveComfort"]],
    [200, 150, 600, 1],
  );
});

test("4.3: only users who sign in need a slot", () => {
  const tenth = forecast(slotted(600, { signedIn: 0.1 }));
  assert.deepEqual([tenth.verdict, tenth.slots?.offered], ["holds", 60]);
  assert.equal(forecast(slotted(600, { signedIn: 0 })).slots, undefined);
});

test("4.2: the time above the comfortable number is that of the loss system", () => {
  // 2 servers, 1 erlang: p0 = 1 / (1 + 1 + 0.5).
  for (const [comfort, part] of [
    [0, 0.6],
    [1, 0.2],
    [2, 0],
  ] as const)
    assert.ok(Math.abs(timeAbove(comfort, 2, 1) - part) < 1e-12);
  assert.ok(
    timeAbove(150, 200, 160) > 0.7 &&
      timeAbove(150, 200, 100) < 1e-5 &&
      timeAbove(150, 200, 0.001) < 1e-100,
  );
  assert.ok(
    Math.abs(timeAbove(99_999, 100_000, 100_000) - erlangB(100_000, 100_000)) < 1e-9,
    "thousands of servers",
  );
  for (const servers of [1, 200, 5_000])
    assert.ok(Math.abs(erlangB(servers, erlangsFor(servers, 0.01)) - 0.01) < 1e-6);
});

test("0.3: more users than connections do not hold", () => {
  const made = forecast({
    ...input({ users: 100_000, rate: 0.001, workers: 8, ram: gibibytes(64) }),
  });
  assert.deepEqual(
    [made.verdict, made.binding.resource, made.binding.used],
    ["overload", "connections", 12.5],
  );
});

import assert from "node:assert/strict";
import test from "node:test";
import { fc } from "../../support/fast-check.ts";
import { corrections, gatewayBill } from "./published.ts";
import { forecast, wantedBy } from "../../../src/tools/plan/model/forecast.ts";
import { mostUsers } from "../../../src/tools/plan/model/needs.ts";
import { nextStep, roundTtl } from "../../../src/tools/plan/model/next.ts";
import { PRESETS, preset } from "../../../src/tools/plan/model/presets.ts";
import { cheapest, PRICES, readPrices } from "../../../src/tools/plan/prices.ts";
import { planJson } from "../../../src/tools/plan/print/json.ts";
import { tiers } from "../../../src/tools/plan/model/tiers.ts";
import { gibibytes, num, percent } from "../../../src/tools/plan/print/units.ts";
import { input, type Given } from "./fixture.ts";

const need = (
  f: ReturnType<typeof forecast>,
  resource: string,
): ReturnType<typeof forecast>["needs"][number] => {
  const found = f.needs.find((n) => n.resource === resource);
  assert.ok(found, resource);
  return found;
};
const known = { measured: true, measureWith: undefined, foreign: false };

test("100 users fit on a small machine, with two calls a minute for six tables", () => {
  const f = forecast(input());
  assert.equal(f.verdict, "holds");
  assert.ok(f.meetsLimit && Math.abs(need(f, "reads").needs - 2) < 0.05);
  assert.deepEqual([f.advice.workers, f.advice.slots, f.advice.cpus], [2, 117, 1]);
});

test("0.2, 1.3: before: 10 erlangs on 9 workers have no answer time; after: over the quota", () => {
  const before = forecast(preset("before", input()));
  assert.deepEqual(
    [before.verdict, before.latency, need(before, "workers").needs > 9.99],
    ["overload", undefined, true],
  );
  const after = forecast(preset("after", input()));
  assert.equal(after.binding.resource, "reads");
  assert.ok(after.verdict === "tight" && !after.meetsLimit && (after.latency?.p95 ?? 0) > 500);
});

test("each shortage has its own next step", () => {
  const step = (given: Partial<Given>): string => nextStep(forecast(input(given)), known);
  assert.match(step({ users: 1_000, rate: 100 }), /CPUs in place of 4|Mbit/);
  assert.match(step({ users: 7_000, rate: 0.001 }), /DROVER_WORKER_CONNECTIONS=2200/);
  assert.equal(forecast(input({ users: 7_000, rate: 0.001 })).verdict, "overload");
  assert.match(step({ ttl: 0.5 }), /DROVER_CACHE_TTL=5s/);
  assert.match(step({ ram: gibibytes(0.5) }), /DROVER_WORKERS=1|memory/);
  assert.match(
    step({ workers: 16 }),
    /DROVER_WORKERS=2: so few carry it in 332 MiB instead of 1\.55 GiB; .* holds up 1\/2 of the connections instead of 1\/16$/,
  );
  assert.match(step({ workers: 2 }), /nothing/);
  assert.match(
    nextStep(forecast(input({ workers: 2 })), { ...known, measured: false, measureWith: "do it" }),
    /do it$/,
  );
  assert.match(step({ users: 9_000, writes: 1, rate: 1, cpus: 64, workers: 64 }), /database|Mbit/);
  assert.deepEqual([roundTtl(1.2), roundTtl(38), roundTtl(9_000)], [5, 45, 10_800]);
});

test("more load never needs less, is never faster and never holds better; and no figure is NaN", () => {
  const rank = { holds: 0, tight: 1, overload: 2 } as const;
  const anything = fc.record({
    rate: fc.double({ min: 0.000_001, max: 1_000_000, noNaN: true }),
    burst: fc.double({ min: 1, max: 1_000, noNaN: true }),
    writes: fc.double({ min: 0, max: 1, noNaN: true }),
    cpus: fc.double({ min: 0.1, max: 4_096, noNaN: true }),
    ram: fc.double({ min: 16e6, max: 64e12, noNaN: true }),
    workers: fc.integer({ min: 1, max: 256 }),
    ttl: fc.double({ min: 0.1, max: 86_400, noNaN: true }),
    tables: fc.integer({ min: 1, max: 500 }),
    quota: fc.integer({ min: 1, max: 100_000 }),
  });
  const users = fc.integer({ min: 1, max: 20_000 });
  fc.assert(
    fc.property(
      anything,
      users,
      users,
      fc.constantFrom(undefined, ...PRESETS),
      (given, a, b, name) => {
        const at = (n: number): ReturnType<typeof forecast> => {
          const base = input({ ...given, users: n });
          const made = name === undefined ? base : preset(name, base);
          return forecast({ ...made, demand: { ...made.demand, users: n } });
        };
        const [less, more] = [at(Math.min(a, b)), at(Math.max(a, b))];
        assert.ok(rank[less.verdict] <= rank[more.verdict]);
        for (const [i, n] of less.needs.entries()) {
          assert.ok(
            n.needs <= (more.needs[i]?.needs ?? 0) * (1 + 1e-9) &&
              n.fullAt === more.needs[i]?.fullAt,
          );
          assert.ok(n.fullAt === undefined || n.used > 1 === n.fullAt < Math.min(a, b));
        }
        assert.ok(less.latency !== undefined || more.latency === undefined);
        const whole = {
          forecast: more,
          bill: cheapest(PRICES, wantedBy(more)),
          prices: PRICES,
          fit: undefined,
          more: [],
          notes: [],
        };
        const json = planJson({ ...whole, next: nextStep(more, known) });
        assert.doesNotMatch(inspectNumbers(json), /NaN|Infinity/);
      },
    ),
    { numRuns: 150 },
  );
});

/** Every number, and every text: neither may show what is no number. */
const inspectNumbers = (value: unknown): string =>
  typeof value === "object" && value !== null
    ? Object.values(value).map(inspectNumbers).join(" ")
    : String(value);

test("0.2, 1.3, 2.8: the corrections come out as published", () => {
  const ours = (name: (typeof PRESETS)[number]): string =>
    corrections(name)
      .map((c) => c.ours)
      .join("\n");
  assert.match(ours("before"), /111 % busy; 16 workers: 62\.5 %, 5\.73 % wait, 9\.6 ms/);
  assert.match(ours("after"), /94\.9 % hits and 30\.4 calls.*99\.67 % and 2;.*90\.4 % and 57\.8/);
  assert.match(ours("after"), /23, 69, 114 s with 16 caches, 1\.4, 4\.3, 7\.1 s with one/);
  assert.match(ours("after"), /0\.625 % and 3\.13 %/);
  assert.match(
    ours("campaign"),
    /0\.31 requests\/s and 6\.7 users.*91\.7 requests\/s, but 400 minutes/,
  );
  assert.match(ours("internet"), /8\.3 hours.*259 billion\n\$7,793 .*\$409,445/);
  assert.equal(Math.round(gatewayBill(3_000)), 7_793);
});

test("1.10, 3.9: tiers of 100, 200 and 500 users and of 10k, 50k and 100k a day fit, 100,000 at once do not", () => {
  assert.deepEqual(
    tiers(input()).map(({ forecast: f }) => f.verdict),
    ["holds", "holds", "holds", "holds", "holds", "holds", "overload"],
  );
});

test("prices: the cheapest that carries it; a list that is none is refused", () => {
  assert.deepEqual(
    [
      cheapest(PRICES, { cpu: 0.1, memory: gibibytes(0.5), cables: 0.1 }).monthly,
      cheapest(PRICES, { cpu: 11, memory: gibibytes(3), cables: 0.1 }).count,
      cheapest(PRICES, { cpu: 1, memory: gibibytes(3), cables: 35.2 }).count,
    ],
    [10, 16, 51],
  );
  const list = {
    asOf: "2026-01-31",
    currency: "EUR",
    machines: [{ name: "x", cpus: 2, memoryGb: 4, monthly: 5 }],
  };
  assert.deepEqual(readPrices(JSON.stringify(list), "p.json"), list);
  for (const [change, message] of [
    [{ asOf: "January" }, /asOf is "January": expected a date/],
    [{ machines: [] }, /machines is \[\]: expected a list of 1/],
    [
      { machines: [{ ...list.machines[0], cpus: 0 }] },
      /machines\[0\]\.cpus is 0: expected a number from 0\.01/,
    ],
  ] as const)
    assert.throws(() => readPrices(JSON.stringify({ ...list, ...change }), "p.json"), message);
  assert.throws(() => readPrices("[", "p.json"), /p\.json is no JSON/);
});

test("numbers for people", () => {
  assert.deepEqual([0, 0.0001, 0.046, 13.75, 999.7, 1_234.5, 1e6].map(num), [
    "0",
    "<0.001",
    "0.046",
    "14",
    "1,000",
    "1,235",
    "1,000,000",
  ]);
  assert.deepEqual([percent(0.00001), percent(0.625), percent(1)], ["<0.1 %", "62.5 %", "100 %"]);
  assert.equal(
    mostUsers(() => true),
    undefined,
  );
  assert.equal(
    mostUsers((n) => n <= 12_345),
    12_345,
  );
  assert.equal(
    mostUsers(() => false),
    0,
  );
});

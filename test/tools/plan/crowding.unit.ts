/** 32 workers on 4 CPUs and 20 GB: what fits, what it costs, and why; and what the notes' own change of workers and TTL saves. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";
import { corrections, SAVING } from "./published.ts";
import { forecast, wantedBy } from "../../../src/tools/plan/model/forecast.ts";
import { nextStep } from "../../../src/tools/plan/model/next.ts";
import { preset } from "../../../src/tools/plan/model/presets.ts";
import { cheapest, PRICES } from "../../../src/tools/plan/prices.ts";
import { render } from "../../../src/tools/plan/print/render.ts";
import { gibibytes } from "../../../src/tools/plan/print/units.ts";
import { input } from "./fixture.ts";

test("0.15: 32 workers on 4 CPUs and 20 GB: 112 fit, 4 run at once, the other 28 cost 2.46 GiB and up to 8 times the latency", () => {
  const made = forecast(input({ users: 200, cpus: 4, ram: gibibytes(20), workers: 32 }));
  const text = render({
    forecast: made,
    bill: cheapest(PRICES, wantedBy(made)),
    prices: PRICES,
    fit: undefined,
    more: [],
    notes: [],
    next: nextStep(made, { measured: true, measureWith: undefined, foreign: false }),
  });
  assert.match(
    text,
    /^workers +32 on 4 CPUs: 112 fit into the memory, 4 run at once; the other 28 take 2\.46 GiB and 0\.0\d+ CPUs/m,
  );
  assert.match(
    text,
    /^ +at full load an answer takes up to 8 × as long; a blocked loop holds up 1\/32 of the connections, not 1\/4$/m,
  );
  assert.match(text, /^next +try DROVER_WORKERS=2: so few carry it/m);
});

test("0.15: as many workers as CPUs cost nothing more, and blocking workers are no event loops", () => {
  assert.equal(forecast(input({ cpus: 4, workers: 4 })).crowding, undefined);
  assert.equal(forecast(preset("before", input())).crowding, undefined);
  assert.deepEqual(forecast(input({ cpus: 0.5, workers: 2 })).crowding?.slowdown, 2);
});

test("0.4: from 9 workers × 5 s to 16 × 30 s the calls fall from 108 to 32 a minute for each key: 70 %, the same in plan and docs", () => {
  assert.deepEqual([SAVING.from, SAVING.to, Math.round(SAVING.saved * 100)], [108, 32, 70]);
  const said = corrections("after").find(({ subject }) => subject === "the saving")?.ours ?? "";
  assert.match(said, /^−70 %: 108 → 32 a minute for each table/);
  for (const page of ["docs/plan.md", "docs/cache-and-quota.md"]) {
    const text = readFileSync(page, "utf8").replaceAll("\n", " ");
    assert.match(text, /70 %[^.]*108 → 32 a minute for each table/, page);
    assert.doesNotMatch(text, /67 %, because|91\.5/, page);
  }
});

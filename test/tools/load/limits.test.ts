/** Limits of the generator and of its machine, and the search for the most users. */
import assert from "node:assert/strict";
import test from "node:test";
import { seconds } from "../../../src/base/units.ts";
import { mostUsers } from "../../../src/cli/load/prepare.ts";
import { bottleneck } from "../../../src/tools/load/bottleneck.ts";
import { resultOf } from "../../../src/tools/load/verdict.ts";
import { search, searched, type Search } from "../../../src/tools/load/find-max.ts";
import {
  exhausted,
  lateLimit,
  lateQuantile,
  saturated,
} from "../../../src/tools/load/generator-limits.ts";
import { held } from "../../../src/load/shape.ts";
import { parseThreshold } from "../../../src/tools/load/thresholds.ts";
import { fc } from "../../support/fast-check.ts";
import { measuredOf } from "./measured.ts";

test("a step in which the generator's machine gave no more connections is invalid, whatever its thresholds say", () => {
  for (const [code, limit] of [
    ["EMFILE", /ulimit -n/],
    ["ENFILE", /fs\.file-max/],
    ["EADDRNOTAVAIL", /ip_local_port_range/],
    ["EAGAIN", /no room/],
  ] as const) {
    const failed = { answer: { outcome: "error", reason: code }, times: 3 } as const;
    const measured = measuredOf([{ ms: 5, times: 100 }, failed]);
    for (const threshold of ["errors==0", "errors<50"]) {
      const result = resultOf({
        step: held("closed", 9, seconds(10)),
        measured,
        samples: [],
        about: undefined,
        generatorCpu: 0.1,
        thinkMs: 0,
        thresholds: [parseThreshold(threshold)],
        limited: false,
        cut: false,
      });
      assert.equal(result.verdict, "INVALID", `${code}, ${threshold}`);
      assert.match(result.why ?? "", limit);
      assert.match(result.why ?? "", new RegExp(`${code}: 3`));
      assert.equal(bottleneck(result).is, "limits");
    }
  }
  assert.equal(exhausted(new Map([["ECONNRESET", 9]])), undefined);
});

test("a search goes as far as this process may open files, and no further than 20,000", () => {
  assert.deepEqual([mostUsers({ nofile: 1_024 }), mostUsers({ nofile: 1_048_576 }), mostUsers({ nofile: undefined })], [960, 20_000, 20_000]); // prettier-ignore
});

test("the search for the most ends within a sixteenth of it, whatever it is", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 30_000 }),
      fc.integer({ min: 1, max: 100 }),
      (truth, first) => {
        let state: Search = search(first);
        let tries = 0;
        for (; state.is !== "found"; tries += 1)
          state = searched(state, state.next <= truth, 20_000);
        assert.ok(tries <= 30, `${tries} tries`);
        assert.ok(state.good <= truth && state.good <= 20_000);
        if (state.bad === undefined) assert.ok(truth >= 20_000);
        else
          assert.ok(
            state.bad > truth && state.bad - state.good <= Math.max(1, state.bad / 16),
            `${state.good} to ${state.bad}`,
          );
      },
    ),
  );
});

test("a step is invalid when its generator is: busy, or later than a tenth of the limit, judged where the limit is", () => {
  const [p95, p99] = [
    parseThreshold("http_req_duration: p(95)<500"),
    parseThreshold("http_req_duration: p(99)<200"),
  ];
  assert.deepEqual(
    [lateLimit([p95], 9), lateLimit([p95, p99], 9), lateLimit([], 9), lateLimit([p95], 2_000)],
    [50, 20, 10, 200],
  );
  assert.deepEqual(
    [lateQuantile([p95]), lateQuantile([p95, p99]), lateQuantile([])],
    [0.95, 0.99, 0.95],
  );
  assert.equal(saturated({ elu: 0.5, slipMs: 49, cpu: 0.5 }, 50), undefined);
  assert.match(saturated({ elu: 0.95, slipMs: 1, cpu: 1 }, 50) ?? "", /95 % busy/);
  assert.match(saturated({ elu: 0.2, slipMs: 51, cpu: 1 }, 50) ?? "", /51 ms late/);
});

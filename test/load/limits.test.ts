/** Where the generator's own machine ends. */
import assert from "node:assert/strict";
import test from "node:test";
import { seconds } from "../../src/base/units.ts";
import { mostUsers } from "../../src/cli/load/prepare.ts";
import { bottleneck } from "../../src/tools/load/bottleneck.ts";
import { resultOf } from "../../src/tools/load/verdict.ts";
import { exhausted } from "../../src/tools/load/generator-limits.ts";
import { held } from "../../src/load/shape.ts";
import { parseThreshold } from "../../src/tools/load/thresholds.ts";
import { measuredOf } from "../tools/load/measured.ts";

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

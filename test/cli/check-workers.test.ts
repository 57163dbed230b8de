/** `drover check` on more workers than CPUs: the words and figures of `drover plan`. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { bytes } from "../../src/base/units.ts";
import { workersText } from "../../src/cli/check.ts";
import { gibibytes } from "../../src/tools/plan/print/units.ts";
import { machine, resolved } from "../settings/given.ts";
import { printed } from "./printed.ts";

const at = { cpus: 4, memory: bytes(gibibytes(20)) };
const checked = (workers: string): string => workersText(resolved({ env: { DROVER_WORKERS: workers }, machine: at }), machine(at));

test("0.15: drover check says of 32 workers on 4 CPUs and 20 GB what fits, what it costs and why, in the words of plan", async (t) => {
  const said = checked("32");
  assert.match(said, /^workers: 32 on 4 CPUs: 112 fit into the memory, 4 run at once; the other 28 take 2\.46 GiB and 0\.0\d+ CPUs for /);
  assert.match(said, /\n {2}at full load an answer takes up to 8 × as long; a blocked loop holds up 1\/32 of the connections, not 1\/4\n$/);
  const { text } = await printed(t, ["--cpus", "4", "--ram", "20g", "--workers", "32"]);
  const words = said
    .replace("workers: ", "")
    .split("\n")
    .map((line) => line.trim())
    .filter(Boolean);
  for (const line of words) assert.ok(text.includes(line), `${line}\n${text}`);
  assert.equal(checked("4"), "", "as many as CPUs cost nothing more");
});

/** What an import of node:http would bring into every process (see src/base/http.ts). */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { join, resolve } from "node:path";
import test from "node:test";

const SRC = resolve(import.meta.dirname, "../../src");

test("undici is loaded in no process of ours", () => {
  const graphs = ["cli/serve.ts", "worker/main.ts", "app/index.ts", "broker/main.ts", "tools/emulator/main.ts"].map((name) =>
    join(SRC, name),
  );
  const script = `for (const file of ${JSON.stringify(graphs)}) await import(file); console.log(process.moduleLoadList.filter((name) => /undici/.test(name)).join());`;
  const ran = spawnSync(process.execPath, ["--input-type=module", "-e", script], { encoding: "utf8" });
  assert.deepEqual([ran.status, ran.stdout], [0, "\n"], ran.stderr);
});

/**
 * A reload that can't go backwards: whatever the new generation does, the old one serves on, the same processes, no request
 * lost; the reason is in the log and in `status`, `drover reload` exits 1, and the next good reload succeeds.
 */
import assert from "node:assert/strict";
import { rmSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import { application, ASKING, begin, clients, fails, reload, SETTLE, type Case } from "./reload-helper.ts";
import { eventually } from "../support/wait.ts";

const CRASHES = `
  import { existsSync } from "node:fs";
  setInterval(() => existsSync(import.meta.dirname + "/crash") && process.exit(9), 10);`;

const CASES: readonly Case[] = [
  { name: "a syntax error", spoil: (s) => s.write("app.mjs", "const = 1;"), why: /SyntaxError/ },
  {
    name: "ready, and crashes before it has settled",
    spoil: (s) => (s.write(".env", "DROVER_ROLL_SETTLE=600s\n"), s.write("app.mjs", application(CRASHES))),
    during: async (s) => {
      await eventually("the new worker is in its trial", async () =>
        (await s.daemon.status()).places.some(({ successor }) => successor?.state === "trial"),
      );
      s.write("crash", "");
    },
    fix: (s) => {
      rmSync(join(s.daemon.dir, "crash"));
      s.write(".env", SETTLE);
      s.write("app.mjs", application());
    },
    why: /exited with code 9/,
    lost: ASKING,
  },
  {
    name: "a probe that is answered with 500",
    spoil: (s) => (s.write(".env", `${SETTLE}DROVER_PROBE_PATH=/probe\n`), s.write("app.mjs", application("", 500))),
    why: /GET \/probe was answered with 500/,
    fix: (s) => s.write("app.mjs", application("", 204)),
  },
  {
    name: "a broken .env",
    spoil: (s) => s.write(".env", "this is no setting\n"),
    why: /\.env:1/,
    fix: (s) => s.write(".env", SETTLE),
  },
];

test("a reload that fails: the same processes serve on, nothing is lost, the reason is reported, the next one works", async (t) => {
  const s = await begin(t);
  for (const one of CASES) await t.test(one.name, () => fails(s, one));
});

test("a worker that fails again and again when the canary has settled takes the whole roll back, new before old", async (t) => {
  const s = await begin(t);
  s.write("app.mjs", application('if (process.env.DROVER_WORKER === "1") throw new Error("not in place 1");')); // the worker's number
  const before = await s.pids();
  const asked = clients(s.daemon, ASKING);
  const { code, err, out } = await reload(s);
  const { failures } = await asked();
  assert.equal(code, 1, out);
  assert.match(err, /not in place 1/);
  assert.match(out, /1\/3 generation 2\n/);
  const { generation, lastRoll, places } = await s.daemon.status();
  assert.deepEqual([generation, lastRoll?.is], [1, "rolledBack"]);
  assert.deepEqual(
    places.map((p) => p.generation),
    [1, 1, 1],
  );
  const after = await s.pids();
  assert.deepEqual(after.slice(1), before.slice(1));
  assert.deepEqual(failures, []);
});

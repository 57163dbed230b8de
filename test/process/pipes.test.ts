/** Files of the operator's that are pipes nobody writes to, or reads from: drover says so and ends, instead of waiting indefinitely. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import test from "node:test";
import { start } from "./harness.ts";
import { folder } from "../support/cleanup.ts";
import { eventually } from "../support/wait.ts";

const CASES: readonly (readonly [what: string, file: string, env: NodeJS.ProcessEnv, said: RegExp])[] = [
  ["log file", "f", { DROVER_LOG_FILE: "f" }, /DROVER_LOG_FILE: lines can't be written there: ENXIO/],
  ["certificate", "f", { DROVER_TLS_CERT: "f", DROVER_TLS_KEY: "f" }, /DROVER_TLS_CERT is .*f, which can't be read: it is no file/],
];

for (const [what, file, env, said] of CASES)
  test(`a pipe without the other end as ${what}: named, and drover ends`, async (t) => {
    const dir = folder(t);
    execFileSync("mkfifo", ["-m", "600", join(dir, file)]);
    const daemon = await start(t, { cwd: dir, env: { DROVER_WORKERS: "1", ...env }, noWait: true });
    const { code } = await daemon.exited;
    assert.ok(code !== null && code > 0, `${code}`);
    await eventually("it names the pipe", () => said.test(daemon.stderr));
  });

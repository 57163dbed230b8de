/** A pipe whose other end is not open, in the place of a file of the operator's. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import test from "node:test";
import { folder } from "../support/cleanup.ts";
import { eventually } from "../support/wait.ts";
import { start } from "./harness.ts";

/** Registers a test: drover names the pipe (a file "f") and exits, instead of waiting indefinitely. */
export function named(what: string, env: NodeJS.ProcessEnv, said: RegExp): void {
  test(`a pipe without the other end as ${what}: named, and drover ends`, async (t) => {
    const dir = folder(t);
    execFileSync("mkfifo", ["-m", "600", join(dir, "f")]);
    const daemon = await start(t, { cwd: dir, env: { DROVER_WORKERS: "1", ...env }, noWait: true });
    const { code } = await daemon.exited;
    assert.ok(code !== null && code > 0, `${code}`);
    await eventually("it names the pipe", () => said.test(daemon.stderr));
  });
}

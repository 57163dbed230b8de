/** What the tests of the drills share. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import type { TestContext } from "node:test";
import { cleanEnv, DROVER, type Daemon } from "./harness.ts";

export interface Drilled {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly report: {
    readonly verdict: string;
    readonly drills: readonly {
      readonly name: string;
      readonly verdict: string;
      readonly steps: readonly { readonly ok: boolean; readonly text: string }[];
    }[];
  };
}

/** @param interrupt sends Ctrl-C once this has come true. */
export function drill(t: TestContext, daemon: Daemon, args: readonly string[], interrupt?: () => Promise<unknown>): Promise<Drilled> {
  const child = spawn(DROVER, ["drill", ...args, "--json"], {
    cwd: daemon.dir,
    env: cleanEnv({ DROVER_TIMEOUT: "2s" }),
    stdio: ["ignore", "pipe", "pipe"],
  });
  t.after(() => child.kill("SIGKILL"));
  let [stdout, stderr] = ["", ""];
  child.stdout.on("data", (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
  void interrupt?.().then(() => child.kill("SIGINT"));
  return new Promise((resolve) =>
    child.once("close", (code) => {
      const report = (stdout === "" ? { verdict: "none", drills: [] } : JSON.parse(stdout)) as Drilled["report"];
      resolve({ code, stdout, stderr, report });
    }),
  );
}

export const passed = ({ code, report, stderr }: Drilled): void => {
  assert.deepEqual([code, report.verdict, stderr], [0, "pass", ""], JSON.stringify(report.drills, null, 1));
};

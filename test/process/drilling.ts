/** What the tests of the drills share. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import http from "node:http";
import { join } from "node:path";
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

/** What the demo's emulator would do to the next calls. */
export async function faults(daemon: Daemon): Promise<readonly unknown[]> {
  const { url, token } = JSON.parse(readFileSync(join(daemon.dir, "var/emulator/orders.json"), "utf8")) as { url: string; token: string };
  return await new Promise((resolve, reject) => {
    const req = http.get(`${url}/emulator/faults`, { agent: false, headers: { authorization: `Bearer ${token}` } }, (res) => {
      let text = "";
      res.on("data", (chunk: Buffer) => (text += chunk.toString()));
      res.on("end", () => resolve((JSON.parse(text) as { waiting: unknown[] }).waiting));
    });
    req.on("error", reject);
  });
}

/** The stacks that are compared: drover itself, bare node:http on a held handle, and node:cluster's default. */
import { spawn, type ChildProcess } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import http from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Status } from "../src/cli/snapshot.ts";

const ROOT = new URL("../", import.meta.url).pathname;

export interface Stack {
  readonly name: string;
  readonly port: number;
  readonly pid: number;
  /** Start of the process to the first word that it is ready. */
  readonly startSeconds: number;
  /** Where it runs, with its data. */
  readonly cwd: string;
  stop(): Promise<void>;
}

function wait(child: ChildProcess, pattern: RegExp): Promise<RegExpExecArray> {
  return new Promise((resolve, reject) => {
    let text = "";
    child.stdout?.on("data", (chunk: Buffer) => {
      text += chunk.toString();
      const found = pattern.exec(text);
      if (found !== null) resolve(found);
    });
    child.once("exit", (code) => reject(new Error(`it left with ${code}: ${text}`)));
  });
}

async function launch(name: string, program: string, args: readonly string[], env: NodeJS.ProcessEnv, dir?: string): Promise<Stack> {
  const began = performance.now();
  const child = spawn(program, args, {
    env: { ...process.env, ...env },
    stdio: ["ignore", "pipe", "inherit"],
    ...(dir === undefined ? {} : { cwd: dir }),
  });
  const [, port] = await wait(child, /https?:\/\/127\.0\.0\.1:(\d+)/);
  const startSeconds = (performance.now() - began) / 1_000;
  return {
    name,
    port: Number(port),
    pid: child.pid ?? 0,
    startSeconds,
    cwd: dir ?? process.cwd(),
    stop: () =>
      new Promise((resolve) => {
        child.once("exit", () => {
          if (dir !== undefined) rmSync(dir, { recursive: true, force: true });
          resolve();
        });
        child.kill("SIGINT");
      }),
  };
}

/** @param root another checkout, to compare with: built already. */
export function drover(workers: number, env: NodeJS.ProcessEnv = {}, root = ROOT): Promise<Stack> {
  const dir = mkdtempSync(join(tmpdir(), "drover-bench-"));
  const own = {
    DROVER_WORKERS: String(workers),
    DROVER_EMULATOR_LATENCY: "none",
    DROVER_EMULATOR_QUOTA: "off",
    DROVER_DEMO: "on",
    DROVER_RATE_LIMIT: "off",
    DROVER_EXPORT_RATE: "off",
    ...env,
  };
  return launch(root === ROOT ? "drover" : "the other drover", join(root, "bin/drover"), ["serve", "--bind", "127.0.0.1:0"], own, dir);
}

/**
 * `mode`: "held" — every worker accepts from one handle the master holds; "spread" — each has a SO_REUSEPORT socket; "cluster" — node:cluster as it comes.
 * @param flags V8's, for all of its processes. @param before a program that executes it, such as chrt(1), with its arguments.
 */
export function bare(
  mode: "held" | "cluster" | "spread",
  workers: number,
  answerFile: string,
  flags: readonly string[] = [],
  before: readonly string[] = [],
): Promise<Stack> {
  const [program, ...args] = [...before, process.execPath, ...flags, join(ROOT, "bench/bare.ts"), mode, String(workers), answerFile];
  return launch(`bare node:http (${mode})`, program, args, {});
}

/** What `drover status` is made of. */
export function statusOf(stack: Stack): Promise<Status> {
  return new Promise((resolve, reject) => {
    const socketPath = join(stack.cwd, "var/run/control.sock");
    http
      .get({ socketPath, path: "/status", agent: false }, (res) => {
        let text = "";
        res.on("data", (chunk: Buffer) => (text += chunk.toString()));
        res.on("end", () => resolve(JSON.parse(text) as Status));
      })
      .on("error", reject);
  });
}

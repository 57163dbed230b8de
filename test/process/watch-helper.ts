/** Commands that print again and again until they are ended. */
import { spawn, type ChildProcess } from "node:child_process";
import type { TestContext } from "node:test";
import { atEnd } from "../support/cleanup.ts";
import { cleanEnv } from "./harness.ts";

export interface Watching {
  readonly process: ChildProcess;
  text(): string;
  readonly exited: Promise<readonly [number | null, NodeJS.Signals | null]>;
}

export function watch(t: TestContext, cwd: string, command: readonly string[], env: NodeJS.ProcessEnv = {}): Watching {
  const [program = "", ...args] = command;
  const child = spawn(program, args, { cwd, stdio: ["ignore", "pipe", "ignore"], env: cleanEnv(env) });
  let text = "";
  child.stdout?.on("data", (chunk: Buffer) => (text += chunk.toString()));
  const exited = new Promise<readonly [number | null, NodeJS.Signals | null]>((resolve) => child.once("exit", (...end) => resolve(end)));
  atEnd(t, async () => {
    child.kill("SIGKILL");
    await exited;
  });
  return { process: child, text: () => text, exited };
}

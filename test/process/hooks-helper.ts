/** What the tests of hooks share: a daemon with a module of hooks that write down what they hear. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { ROOT, start, type Daemon, type DaemonOptions } from "./harness.ts";
import { folder } from "../support/cleanup.ts";
import { eventually } from "../support/wait.ts";

export const APP = join(ROOT, "test/process/apps/plain.mjs");

/** A module whose hooks write down what they hear; `body` is what each does besides. */
export const recording = (mark: string, body = ""): string => `
  import { appendFileSync } from "node:fs";
  const note = (hook) => async (event) => {
    appendFileSync("heard", JSON.stringify({ mark: ${JSON.stringify(mark)}, hook, pid: process.pid, event }) + "\\n");
    ${body}
  };
  export const onReady = note("onReady");
  export const onWorkerReady = note("onWorkerReady");
  export const onWorkerExit = note("onWorkerExit");
  export const onReload = note("onReload");
  export const onStop = note("onStop");`;

export interface Heard {
  readonly mark: string;
  readonly hook: string;
  readonly pid: number;
  readonly event: Record<string, unknown>;
}

export interface Situation {
  readonly dir: string;
  readonly daemon: Daemon;
  write(text: string): void;
  heard(hook?: string): Heard[];
}

export async function begin(t: TestContext, hooks: string, options: DaemonOptions = {}): Promise<Situation> {
  const dir = folder(t);
  const write = (text: string): void => writeFileSync(join(dir, "hooks.mjs"), text);
  write(hooks);
  const env = { DROVER_HOOKS: "./hooks.mjs", ...options.env };
  const daemon = await start(t, { cwd: dir, args: [APP], ...options, env });
  const heard = (hook?: string): Heard[] => {
    let text = "";
    try {
      text = readFileSync(join(dir, "heard"), "utf8");
    } catch {
      // nothing was heard yet
    }
    const all = text.split("\n").filter(Boolean).map((line) => JSON.parse(line) as Heard); // prettier-ignore
    return hook === undefined ? all : all.filter((one) => one.hook === hook);
  };
  return { dir, daemon, write, heard };
}

export const failures = (daemon: Daemon, hook: string): Record<string, unknown>[] =>
  daemon.log().filter((line) => String(line["msg"]).startsWith(`hook ${hook} failed: `));

export async function rolled({ daemon }: Situation): Promise<void> {
  const { generation } = await daemon.status();
  await daemon.control("reload");
  await eventually("the roll is done", async () => {
    const { lastRoll, roll } = await daemon.status();
    return roll === null && lastRoll?.is === "done" && lastRoll.generation > generation;
  });
}

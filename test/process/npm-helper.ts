/** `npm start` in this checkout. */
import { spawn } from "node:child_process";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { atEnd, sent } from "../support/cleanup.ts";
import { eventually } from "../support/wait.ts";
import { alive, cleanEnv, Daemon, descendants, portFree, ROOT } from "./harness.ts";

export const APP = join(ROOT, "test/process/apps/plain.mjs");

/** npm start in this checkout, with a data directory of its own. */
export function npmStart(
  t: TestContext,
  dir: string,
  command: readonly string[] = ["npm", "start", "--"],
  rest = ["--bind", "127.0.0.1:0", APP],
): Daemon {
  const [program = "npm", ...args] = [...command, ...rest];
  const env = cleanEnv({
    DROVER_DATA_DIR: dir,
    DROVER_WORKERS: "2",
    DROVER_LOG_FILE: join(dir, "drover.log"),
    npm_config_loglevel: "silent",
  });
  const child = spawn(program, args, { cwd: ROOT, stdio: ["pipe", "pipe", "pipe"], env });
  const daemon = new Daemon(child, dir);
  atEnd(t, async () => {
    for (const pid of [daemon.pid, ...descendants(daemon.pid)]) sent(pid, "SIGKILL");
    await daemon.exited;
  });
  return daemon;
}

export async function gone(family: readonly number[], url: string): Promise<void> {
  await eventually("no process is left", () => family.every((pid) => !alive(pid)));
  await portFree(url);
}

/** What the tests of backups share. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { inspectJournal } from "../../src/broker/journal/inspect.ts";
import { send, type CrashWorld } from "./crash.ts";
import { cleanEnv, DROVER } from "./harness.ts";

export interface Ran {
  readonly code: number;
  readonly said: string;
}

/** A command in a daemon's folder, with its settings. */
export function drover(cwd: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Ran> {
  return promisify(execFile)(DROVER, args, { cwd, env: cleanEnv(env) }).then(
    ({ stdout }) => ({ code: 0, said: stdout }),
    (e: { code: number; stdout: string; stderr: string }) => ({ code: e.code, said: e.stdout + e.stderr }),
  );
}

/** While the daemon has it open. */
export const waiting = ({ daemon }: CrashWorld): number => inspectJournal(join(daemon.dir, "var/journal.db"))?.waiting ?? -1;
export const post = async (world: CrashWorld, text: string): Promise<void> =>
  assert.equal((await send("POST", `${world.url}/api/tables/posts`, { text })).status, 201);

export const texts = async ({ sheet }: CrashWorld): Promise<string[]> =>
  (await sheet.rows("posts"))
    .slice(1)
    .map((row) => String(row[1]))
    .toSorted();

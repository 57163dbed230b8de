/** An application that harms its supervisor, and what its tests look at. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { eventually } from "../support/wait.ts";
import { alive, get, ROOT, start, type Daemon } from "./harness.ts";

const HOSTILE = join(ROOT, "test/process/apps/hostile.mjs");
export const hostile = (t: TestContext, env: NodeJS.ProcessEnv = {}) => start(t, { args: [HOSTILE], env });

export const descriptors = (pid: number): number => readdirSync(`/proc/${pid}/fd`).length;
/** Resident memory in MiB. */
export const memory = (pid: number): number =>
  Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]) / 1_024;

export const act = async (daemon: Daemon, what: string): Promise<number> => Number((await get(`${daemon.url}/${what}`)).body);
/** @param without a process that is dead: the master may not have heard of it yet, and count it still. */
export const bothReady = (daemon: Daemon, without = 0): Promise<boolean> =>
  eventually("both workers are ready", async () => {
    const { workers, places } = await daemon.status();
    return workers.ready === 2 && places.every(({ child, leaving }) => child?.pid !== without && leaving.length === 0);
  });
export async function replaced(daemon: Daemon, pid: number): Promise<void> {
  await eventually("that worker is gone", () => !alive(pid));
  await bothReady(daemon, pid);
}

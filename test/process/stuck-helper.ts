/** A daemon whose application can be made stuck in several ways (apps/stuck.mjs), and what is asked of it. */
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { eventually, slow } from "../support/wait.ts";
import { descendants, get, ROOT, start, type Daemon } from "./harness.ts";

export const app = (t: TestContext, env: NodeJS.ProcessEnv = {}): Promise<Daemon> =>
  start(t, {
    args: [join(ROOT, "test/process/apps/stuck.mjs")],
    env: { DROVER_WORKERS: "2", DROVER_TIMEOUT: slow(3), ...env },
  });

export const record = (daemon: Daemon, death: string): Promise<Record<string, unknown>> =>
  eventually(`a death record says ${death}`, () => daemon.log().find((line) => line["death"] === death));

export const whole = (daemon: Daemon, n: number): Promise<true> =>
  eventually("all are ready", async () => (await daemon.status()).workers.ready === n);

/** Inodes of a process's sockets; none of one that has ended meanwhile. */
function socketsOf(pid: number): string[] {
  try {
    const links = readdirSync(`/proc/${pid}/fd`).map((fd) => readlinkSync(`/proc/${pid}/fd/${fd}`));
    return links.flatMap((link) => /^socket:\[(\d+)\]$/.exec(link)?.[1] ?? []);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error;
  }
}

/** TCP sockets that the processes of a daemon listen on. */
export function listening(daemon: Daemon): number {
  const inodes = new Set(descendants(daemon.pid).flatMap(socketsOf));
  const lines = readFileSync("/proc/self/net/tcp", "latin1").split("\n");
  return lines.map((line) => line.trim().split(/\s+/)).filter((fields) => fields[3] === "0A" && inodes.has(fields[9] ?? "")).length;
}

export interface Stuck {
  readonly found: Record<string, unknown>;
  /** What the client of the stuck request met. */
  readonly hung: "answered" | "closed";
  readonly served: number;
  readonly failed: number;
}

/** Makes one worker loop, and sends requests to the others until the death record is there and all workers are ready. */
export async function makeStuck(daemon: Daemon, path: string): Promise<Stuck> {
  const records = (): Record<string, unknown>[] => daemon.log().filter((line) => line["death"] === "stuck");
  const before = records().length;
  const pids = new Set((await daemon.status()).places.map(({ child }) => child?.pid));
  const hung = get(`${daemon.url}${path}?secret=1`).then(
    () => "answered" as const,
    () => "closed" as const,
  );
  const began = performance.now();
  await eventually("a worker is silent", async () => (await daemon.status()).places.some(({ child }) => (child?.beatAge ?? 0) > 600));
  let [failed, served] = [0, 0];
  const found = await eventually("it is stuck", async () => {
    const answer = await get(daemon.url).catch(() => undefined);
    if (answer?.status === 200) served += 1;
    else failed += 1;
    return records()[before];
  });
  const killed = performance.now() - began;
  const end = await hung;
  await eventually("all are ready again, a new process among them", async () => {
    const { workers, places } = await daemon.status();
    return workers.ready === places.length && places.some(({ child }) => !pids.has(child?.pid));
  });
  const ready = performance.now() - began;
  console.log(`${path}: killed after ${Math.round(killed)} ms, whole after ${Math.round(ready)} ms, ${served} served, ${failed} failed`);
  return { found, hung: end, served, failed };
}

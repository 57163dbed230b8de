/** A daemon whose application has several servers (apps/two-servers.mjs). */
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { folder } from "../support/cleanup.ts";
import { freePort } from "../support/ports.ts";
import { eventually } from "../support/wait.ts";
import { get, ROOT, start, type Daemon } from "./harness.ts";

export interface Second {
  readonly daemon: Daemon;
  readonly url: string;
  readonly path: string;
}

export async function twoServers(t: TestContext, workers: number): Promise<Second> {
  const [port, dir] = [await freePort(), folder(t)];
  const path = join(dir, "second.sock");
  const daemon = await start(t, {
    args: [join(ROOT, "test/process/apps/two-servers.mjs")],
    env: { DROVER_WORKERS: String(workers), SECOND_PORT: String(port), SECOND_PATH: path },
  });
  const url = `http://127.0.0.1:${port}`;
  // Ready means that the first server listens.
  await eventually("the second server listens", async () => (await get(url).catch(() => undefined))?.status === 200);
  await eventually("the third one does", () => existsSync(path));
  return { daemon, url, path };
}

export const pidOf = async (daemon: Daemon, nr: number): Promise<number> => (await daemon.place(`worker/${nr}`)).child?.pid ?? 0;

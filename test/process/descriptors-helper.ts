/** What the tests of descriptors share: a daemon that may open few files, and clients that fill it. */
import { spawn } from "node:child_process";
import { readdirSync } from "node:fs";
import net from "node:net";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { cleanEnv, Daemon, descendants, DROVER, get, ROOT } from "./harness.ts";
import { atEnd, folder, sent } from "../support/cleanup.ts";
import { eventually } from "../support/wait.ts";

export const PLAIN = join(ROOT, "test/process/apps/plain.mjs");

export const openFiles = (pid: number): number => readdirSync(`/proc/${pid}/fd`).length;

/** Connections that never send a byte, as many as asked for; what the other side closes stays closed. */
export function idle(t: TestContext, count: number, to: net.NetConnectOpts): net.Socket[] {
  const sockets = Array.from({ length: count }, () => net.connect(to).on("error", () => {}));
  t.after(() => sockets.forEach((socket) => socket.destroy()));
  return sockets;
}

export const settled = (sockets: readonly net.Socket[]): Promise<true> =>
  eventually("every connection was accepted or refused", () => sockets.every((socket) => !socket.connecting));

/** A daemon that may open so many files from its start on. */
export async function startWithin(
  t: TestContext,
  files: number,
  args: readonly string[],
  { app = PLAIN, ...env }: NodeJS.ProcessEnv & { app?: string } = {},
): Promise<Daemon> {
  const dir = folder(t);
  const words = ["serve", app, "--bind", "127.0.0.1:0", ...args];
  const child = spawn("sh", ["-c", `ulimit -n ${files}; exec "$0" "$@"`, DROVER, ...words], {
    cwd: dir,
    stdio: ["ignore", "pipe", "pipe"],
    env: cleanEnv({ DROVER_WORKERS: "2", DROVER_WORKER_CONNECTIONS: "40", ...env }),
  });
  const daemon = new Daemon(child, dir);
  atEnd(t, async () => {
    for (const pid of [daemon.pid, ...descendants(daemon.pid)]) sent(pid, "SIGKILL");
    await daemon.exited;
  });
  return await daemon.ready();
}

/** One request each on connections that are opened at once. @returns how many were answered. */
export async function answered(url: string, clients: number): Promise<number> {
  const answers = await Promise.allSettled(Array.from({ length: clients }, () => get(url, { headers: { Connection: "keep-alive" } })));
  return answers.filter(({ status }) => status === "fulfilled").length;
}

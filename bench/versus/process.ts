/** Programs that are started in a folder of their own, watched until they are ready, and ended with all that descends from them. */
import { spawn, type ChildProcess } from "node:child_process";
import { closeSync, mkdirSync, mkdtempSync, openSync, readdirSync, readFileSync, readlinkSync, rmSync } from "node:fs";
import net from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { family } from "../tree.ts";

export interface Place {
  readonly dir: string;
  /** Each worker leaves a file of its pid here once it serves. */
  readonly ready: string;
  readonly log: string;
}

const places = new Set<string>();

export function place(): Place {
  const dir = mkdtempSync(join(tmpdir(), "drover-bench-"));
  mkdirSync(join(dir, "ready"));
  places.add(dir);
  return { dir, ready: join(dir, "ready"), log: join(dir, "out.log") };
}

export function leave({ dir }: Place): void {
  rmSync(dir, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
  places.delete(dir);
}

/** The bench was interrupted: all that descends from it goes, and whatever runs in its folders (PM2's daemon has left its process tree). */
export function endEverything(): void {
  const ours = new Set(family(process.pid));
  for (const pid of readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number)) {
    try {
      if (pid !== process.pid && (ours.has(pid) || isPlace(readlinkSync(`/proc/${pid}/cwd`)))) process.kill(pid, "SIGKILL");
    } catch {
      // gone meanwhile, or somebody else's
    }
  }
  for (const dir of places) rmSync(dir, { recursive: true, force: true });
}

const isPlace = (folder: string): boolean => [...places].some((dir) => folder === dir || folder.startsWith(`${dir}/`));

/** Everything it prints goes to the place's log. */
export function run(at: Place, program: string, args: readonly string[], env: NodeJS.ProcessEnv): ChildProcess {
  const out = openSync(at.log, "a");
  const child = spawn(program, args, { cwd: at.dir, stdio: ["ignore", out, out], env: { ...clean(), ...env } });
  closeSync(out);
  return child;
}

/** Without what steers drover or Node here. */
const clean = (): NodeJS.ProcessEnv =>
  Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(DROVER_|GUNICORN_|NODE_OPTIONS$|npm_)/.test(name)));

export const said = (at: Place): string => readFileSync(at.log, "utf8");
export const readyPids = (at: Place): number[] => readdirSync(at.ready).map(Number);

/** @param check asked every 5 ms. @throws when the process ends before, or after `seconds`. */
export async function until(what: string, at: Place, child: ChildProcess | undefined, check: () => boolean, seconds = 60): Promise<void> {
  const end = performance.now() + seconds * 1_000;
  while (!check()) {
    if (child !== undefined && (child.exitCode !== null || child.signalCode !== null))
      throw new Error(`it ended with ${child.exitCode ?? child.signalCode} before ${what}:\n${said(at).slice(-2_000)}`);
    if (performance.now() > end) throw new Error(`${seconds} s passed before ${what}:\n${said(at).slice(-2_000)}`);
    await sleep(5);
  }
}

const alive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};

/** Ends the tree under a pid: first as it likes to be ended, after `seconds` with SIGKILL. */
export async function end(root: number, signal: NodeJS.Signals, seconds = 8): Promise<void> {
  const pids = family(root).filter(alive);
  if (alive(root)) process.kill(root, signal);
  const patience = performance.now() + seconds * 1_000;
  while (pids.some(alive) && performance.now() < patience) await sleep(20);
  for (const pid of pids.filter(alive)) process.kill(pid, "SIGKILL");
  while (pids.some(alive)) await sleep(20);
}

/** A port that was free a moment ago: for programs that can't tell which one the kernel gave them. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = net.createServer().once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address() as net.AddressInfo;
      server.close(() => resolve(port));
    });
  });
}

/** Whether something accepts there. */
export const accepts = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = net.connect(port, "127.0.0.1");
    socket.once("connect", () => resolve(true)).once("error", () => resolve(false));
    socket.once("connect", () => socket.destroy());
  });

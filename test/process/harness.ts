/**
 * Real daemons for tests: each with a folder, a port and a process of its own. Everything waits for an event (a line, an answer,
 * a process that has gone) with a generous bound, and whatever a test leaves behind is ended by the pid that was started.
 */
import assert from "node:assert/strict";
import { spawn, type ChildProcess } from "node:child_process";
import { readFileSync } from "node:fs";
import type { IncomingHttpHeaders, RequestOptions } from "node:http";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { http } from "../../src/base/http.ts";
import type { Status } from "../../src/cli/snapshot.ts";
import { atEnd, folder } from "../support/cleanup.ts";
import { alive, descendants, sent } from "../support/processes.ts";
import { eventually } from "../support/wait.ts";

export { alive, descendants };
export const ROOT = new URL("../../", import.meta.url).pathname;
export const DROVER = join(ROOT, "bin/drover");

export interface Reply {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** One request on a connection of its own. */
export function get(url: string, options: RequestOptions = {}): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const req = http.request(url, { agent: false, timeout: 60_000, ...options }, (res) => {
      const chunks: Buffer[] = [];
      res.on("data", (chunk: Buffer) => chunks.push(chunk));
      res.on("end", () => resolve({ status: res.statusCode ?? 0, headers: res.headers, body: Buffer.concat(chunks).toString() }));
      res.on("error", reject);
    });
    req.on("timeout", () => req.destroy(new Error(`no answer from ${url}`)));
    req.on("error", reject);
    req.end();
  });
}

/**
 * Waits until no write waits for the sheet. The status tells of the broker's last beat: only one that came a while after the last write
 * knows of it.
 */
export async function allLanded(daemon: Daemon): Promise<void> {
  const began = performance.now();
  await eventually("all is in the sheet", async () => {
    const { upstream, places } = await daemon.status();
    const beatAge = places.find(({ role }) => role === "broker")?.child?.beatAge ?? Infinity;
    return upstream?.writes?.waiting === 0 && performance.now() - began - beatAge > BEAT_UNDER_WAY;
  });
}
/** How long a beat may be on its way, in milliseconds. */
const BEAT_UNDER_WAY = 500;

/** A process counts as dead when its first thread is; the others, and with them the sockets, may take a moment longer. */
export const portFree = (url: string): Promise<true> =>
  eventually("the port is free", () =>
    get(url).then(
      () => false as const,
      (error: { code?: string }) => error.code === "ECONNREFUSED",
    ),
  );

export interface DaemonOptions {
  readonly args?: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
  /** Where it runs; a fresh folder by default. */
  readonly cwd?: string;
  /** Don't wait until it is ready. */
  readonly noWait?: boolean;
  readonly bind?: string;
  /** The user and the group that start it; this process must be root's. */
  readonly uid?: number;
}

export class Daemon {
  readonly process: ChildProcess;
  readonly dir: string;
  stdout = "";
  stderr = "";
  readonly exited: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;

  constructor(process: ChildProcess, dir: string) {
    this.process = process;
    this.dir = dir;
    process.stdout?.on("data", (chunk: Buffer) => (this.stdout += chunk.toString()));
    process.stderr?.on("data", (chunk: Buffer) => (this.stderr += chunk.toString()));
    this.exited = new Promise((resolve) => process.once("exit", (code, signal) => resolve({ code, signal })));
  }

  get pid(): number {
    assert.ok(this.process.pid);
    return this.process.pid;
  }
  /** The first address, as the greeting names it. */
  get url(): string {
    const greeting = this.stdout.split("\n").find((line) => line.includes('"drover is ready"'));
    assert.ok(greeting, `it greeted (stdout: ${this.stdout}; stderr: ${this.stderr})`);
    return (JSON.parse(greeting) as { addresses: string[] }).addresses[0] ?? "";
  }
  async ready(): Promise<this> {
    await eventually("the daemon is ready", () => this.stdout.includes('"drover is ready"') || this.process.exitCode !== null);
    if (!this.stdout.includes('"drover is ready"')) this.fail();
    return this;
  }
  private fail(): never {
    throw new Error(
      `the daemon left with ${this.process.exitCode}: ${this.stderr}\n${this.log()
        .slice(-10)
        .map((l) => JSON.stringify(l))
        .join("\n")}`,
    );
  }
  async status(): Promise<Status> {
    const { body } = await get("http://localhost/status", { socketPath: join(this.dir, "var/run/control.sock") });
    return JSON.parse(body) as Status;
  }
  async control(verb: string, body: unknown = {}): Promise<Reply> {
    return await new Promise((resolve, reject) => {
      const req = http.request(
        { socketPath: join(this.dir, "var/run/control.sock"), path: `/${verb}`, method: "POST", agent: false },
        (res) => {
          let text = "";
          res.on("data", (chunk: Buffer) => (text += chunk.toString()));
          res.on("end", () => resolve({ status: res.statusCode ?? 0, headers: res.headers, body: text }));
        },
      );
      req.on("error", reject);
      req.end(JSON.stringify(body));
    });
  }
  /** The log's lines, parsed. */
  log(): Record<string, unknown>[] {
    try {
      return readFileSync(join(this.dir, "var/log/drover.log"), "utf8")
        .split("\n")
        .filter(Boolean)
        .map((line) => JSON.parse(line) as Record<string, unknown>);
    } catch {
      return [];
    }
  }
  async logged(pattern: RegExp): Promise<Record<string, unknown>> {
    return await eventually(`the log says ${pattern}`, () => this.log().find((line) => pattern.test(String(line["msg"]))));
  }
  async place(id: string): Promise<Status["places"][number]> {
    const place = (await this.status()).places.find((p) => p.id === id);
    assert.ok(place, `there is a place ${id}`);
    return place;
  }
  signal(signal: NodeJS.Signals): void {
    process.kill(this.pid, signal);
  }
  /** Ends it and checks that nothing is left. */
  async stop(signal: NodeJS.Signals = "SIGTERM"): Promise<{ code: number | null; signal: NodeJS.Signals | null }> {
    const children = descendants(this.pid);
    this.signal(signal);
    const end = await this.exited;
    await eventually("every process of it has gone", () => children.every((pid) => !alive(pid)));
    return end;
  }
}

/** The environment of the test run without what would steer a daemon. */
export function cleanEnv(extra: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(
    ([name]) => !/^(DROVER_|GUNICORN_|SHEET_|PORT$|WEB_CONCURRENCY|GOOGLE_|NODE_(?!COMPILE_CACHE$)|npm_|container$|KUBERNETES_)/.test(name),
  );
  return { ...Object.fromEntries(kept), ...extra };
}

/** For what one worker shows as well as two: each costs a test half a second of CPU. */
export const ONE = { DROVER_WORKERS: "1" } as const;

/** Starts `drover serve` (the demo, unless the arguments say otherwise) and waits until it is ready. */
export async function start(t: TestContext, options: DaemonOptions = {}): Promise<Daemon> {
  const dir = options.cwd ?? folder(t);
  const args = ["serve", "--bind", options.bind ?? "127.0.0.1:0", ...(options.args ?? [])];
  const child = spawn(DROVER, args, {
    cwd: dir,
    stdio: ["ignore", "pipe", "pipe"],
    ...(options.uid === undefined ? {} : { uid: options.uid, gid: options.uid }),
    env: cleanEnv({
      DROVER_WORKERS: "2",
      DROVER_ROLL_SETTLE: "200ms",
      DROVER_EMULATOR_LATENCY: "none",
      DROVER_EMULATOR_QUOTA: "off",
      ...options.env,
    }),
  });
  const daemon = new Daemon(child, dir);
  atEnd(t, async () => {
    if (child.pid === undefined) return;
    const left = [child.pid, ...descendants(child.pid)];
    for (const pid of left) sent(pid, "SIGKILL");
    await daemon.exited;
    await eventually("what the test left has ended", () => left.every((pid) => !alive(pid)));
  });
  return options.noWait === true ? daemon : await daemon.ready();
}

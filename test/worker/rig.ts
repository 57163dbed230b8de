/** A worker in this process: a fake master on the other end of the channel, and raw handles made here. */
import { EventEmitter } from "node:events";
import { Writable } from "node:stream";
import fastify from "fastify";
import { makeLogger } from "../../src/base/log.ts";
import { rawHandle, type RawHandle } from "../../src/base/held.ts";
import type { MasterPort } from "../../src/base/port.ts";
import type { FromChild, ToChild } from "../../src/base/protocol.ts";
import type { Services } from "../../src/base/runtime.ts";
import { mebibytes, ms, seconds } from "../../src/base/units.ts";
import type { WorkerConfig } from "../../src/worker/config.ts";
import { runWorker } from "../../src/worker/main.ts";
import type { Holder } from "./holder.ts";

export const config = (over: Partial<WorkerConfig> = {}): WorkerConfig => ({
  app: null,
  probePath: null,
  connections: 1_000,
  backlog: 128,
  priority: 0,
  timeout: seconds(30),
  bootTimeout: seconds(60),
  requestTimeout: seconds(30),
  bodyLimit: mebibytes(100),
  headersTimeout: seconds(10),
  keepAlive: seconds(75),
  drainIdle: ms(100),
  gracefulTimeout: seconds(5),
  trustedProxies: [],
  tls: null,
  underscores: "drop",
  strict: false,
  accessLog: 0,
  maxRequests: 0,
  maxRequestsJitter: 0,
  demo: false,
  dataDir: "/nonexistent",
  log: { target: { fd: 1 }, level: "info" },
  extras: {},
  ...over,
});

export interface Rig {
  readonly port: number;
  readonly said: FromChild[];
  readonly log: Record<string, unknown>[];
  readonly access: string[];
  /** Resolves with the first message of this type that was or will be said. */
  until<T extends FromChild["type"]>(type: T): Promise<Extract<FromChild, { type: T }>>;
  /** Resolves with the next message of this type. */
  next<T extends FromChild["type"]>(type: T): Promise<Extract<FromChild, { type: T }>>;
  tell(message: ToChild, handle?: unknown): void;
  exited: Promise<number>;
  /** A signal to the worker's process. */
  signal(name: NodeJS.Signals): void;
  /** An event of its process. @returns whether anybody listens for it. */
  happens(event: "uncaughtException" | "exit", what: unknown): boolean;
}

export interface RigOptions {
  readonly config?: Partial<WorkerConfig>;
  readonly builtIn?: Readonly<Record<string, unknown>>;
  readonly services?: Partial<Services>;
  /** The listening socket is held by another process, which also gives copies when asked for. */
  readonly holder?: Holder;
  /** What the worker draws with. */
  readonly random?: () => number;
}

/** A bound handle on a port of the kernel's choice, and its port. */
export function bound(): { handle: RawHandle; port: number } {
  const handle = rawHandle({ host: "127.0.0.1", port: 0 });
  const out = { port: 0 };
  handle.getsockname?.(out);
  return { handle, port: out.port };
}

export function startRig(options: RigOptions = {}): Rig {
  const said: FromChild[] = [];
  const log: Record<string, unknown>[] = [];
  const access: string[] = [];
  const waiting: { type: string; resolve: (message: never) => void; reject: (why: Error) => void }[] = [];
  let hear: (message: ToChild, handle: unknown) => void = () => {};
  let exit: (code: number) => void = () => {};
  const signals = new EventEmitter();
  const exited = new Promise<number>((resolve) => (exit = resolve));
  const { holder } = options;
  const own = holder === undefined ? bound() : undefined;
  const port = own?.port ?? holder?.port ?? 0;
  const tell = (message: ToChild, h?: unknown): void => hear(message, h);
  const channel: MasterPort = {
    send(message) {
      said.push(message);
      for (const { type, resolve, reject } of waiting)
        if (type === message.type) resolve(message as never);
        else if (message.type === "fatal") reject(new Error(`the worker can't start: ${message.message}`)); // nothing else will be said
      for (let at = waiting.length - 1; at >= 0; at -= 1)
        if (waiting[at]?.type === message.type || message.type === "fatal") waiting.splice(at, 1);
    },
    onMessage: (handler) => void (hear = handler),
    onLost() {},
  };
  const stream = new Writable({
    write(chunk, _, done) {
      log.push(JSON.parse(String(chunk)) as Record<string, unknown>);
      done();
    },
  });
  runWorker(
    channel,
    () => ({
      log: makeLogger({ role: "worker", slot: 3, generation: 7 }, "debug", stream),
      lines: { push: (line) => void access.push(line), flushed: () => Promise.resolve(), reopen() {}, end() {} },
      services: options.services ?? {},
      reopen: () => void log.push({ msg: "reopened" }),
      loaders: {
        fastify: () => Promise.resolve(fastify),
        builtIn: () => Promise.resolve(options.builtIn ?? {}),
        face: () => Promise.resolve({ slot: 3 }),
      },
    }),
    { signals, exit, random: options.random ?? Math.random },
  );
  tell({
    type: "configure",
    role: "worker",
    slot: 3,
    generation: 7,
    masterPid: process.ppid,
    beatEvery: ms(20),
    addresses: [{ name: `127.0.0.1:${port}`, kind: "tcp" }],
    config: config(options.config),
  });
  if (own !== undefined) tell({ type: "handle", address: 0 }, own.handle);
  holder?.ask(1, (copy) => tell({ type: "handle", address: 0 }, copy));
  return {
    port,
    said,
    log,
    access,
    until(type) {
      const found = said.find((message) => message.type === type);
      return found === undefined ? this.next(type) : Promise.resolve(found as never);
    },
    next: (type) => new Promise((resolve, reject) => waiting.push({ type, resolve, reject })),
    tell,
    exited,
    signal: (name) => void signals.emit(name),
    happens: (event, what) => signals.emit(event, what),
  };
}

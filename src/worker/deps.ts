import type { EventEmitter } from "node:events";
import type Fastify from "fastify";
import type { AdminKeys } from "../base/adminkeys.ts";
import type { LineStream } from "../base/linestream.ts";
import type { Logger } from "../base/log.ts";
import type { Address } from "../base/protocol.ts";
import type { Services } from "../base/runtime.ts";
import type { WorkerConfig } from "./config.ts";

/** What the master said first. */
export interface Configured {
  readonly slot: number;
  readonly generation: number;
  readonly masterPid: number;
  readonly addresses: readonly Address[];
  readonly config: WorkerConfig;
}

/** The process that a worker is: its events and its end. */
export interface Host {
  readonly signals: EventEmitter;
  readonly exit: (code: number) => void;
  /** 0 ≤ x < 1; Math.random by default. */
  readonly random?: () => number;
}

/** What only some applications need. */
export interface Loaders {
  fastify(): Promise<typeof Fastify>;
  /** The module of the built-in service: a Fastify plugin as its default export, `options` for its instance. */
  builtIn?(): Promise<Readonly<Record<string, unknown>>>;
  /** What a Fastify plugin of somebody's own finds as `fastify.drover`. */
  face?(): Promise<unknown>;
}

/** What a worker gets from the composition root, so that it knows neither the built-in service nor the tables. */
export interface WorkerDeps {
  readonly log: Logger;
  /** Where access lines go. */
  readonly lines: LineStream;
  /** What the runtime offers besides the worker's own services; a getter may start what it needs. */
  readonly services: Partial<Services>;
  /** The log was rotated: open it again. */
  reopen(): void;
  /** Who may administer has changed. */
  adminKeys?(keys: AdminKeys): void;
  readonly loaders: Loaders;
  /** The application uses the broker, and this worker can't reach it. */
  brokerLost?(): boolean;
}

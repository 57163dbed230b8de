import type { Logger } from "./log.ts";
import type { Address, Health } from "./protocol.ts";

/**
 * What an application may use of the process it runs in: `import { drover } from "drover"` gives this. Folders that
 * offer a service add it by declaration merging (`declare module`), and the composition root fills it in.
 */
export interface Services {}

export interface Runtime {
  /** Stays the same for a worker's place, whatever process fills it: 0…N−1. */
  readonly slot: number;
  readonly generation: number;
  readonly addresses: readonly Address[];
  readonly log: Logger;
  /** Aborted when the worker starts to drain. */
  readonly draining: AbortSignal;
  /** The last state of the whole that the master pushed. */
  health(): Health;
  /** @throws Error when this process has no such service. A service may start what it needs at the first call. */
  service<K extends keyof Services>(name: K): Services[K];
}

const KEY = Symbol.for("drover.runtime");

/** Called once, by the composition root, before any application code is loaded. */
export function installRuntime(runtime: Runtime): void {
  (globalThis as Record<symbol, unknown>)[KEY] = runtime;
}

/** @throws Error outside a drover worker. */
export function runtime(): Runtime {
  const installed = (globalThis as Record<symbol, unknown>)[KEY] as Runtime | undefined;
  if (installed === undefined) throw new Error("this code does not run in a drover worker: start it with `drover serve FILE`");
  return installed;
}

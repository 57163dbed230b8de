/**
 * What an application may import: `import { drover } from "drover"`. It works in every form of application, inside a worker.
 *
 *   const players = await drover.tables.table("players");
 *   drover.log.info({ rows: players.snapshot.rowCount }, "players");
 */
import type { Logger } from "./base/log.ts";
import type { Address, Health } from "./base/protocol.ts";
import { runtime } from "./base/runtime.ts";
import type { Tables } from "./sheets/client.ts";
import type { Threads } from "./worker/app.ts";

export type { HookEvents, Hooks } from "./base/hooks.ts";
export type { Health } from "./base/protocol.ts";
export type { Tables, TableView } from "./sheets/client.ts";
export type { FetchApplication, Form, Listener, Threads } from "./worker/app.ts";

export interface Drover {
  /** The spreadsheet's tables; the broker is started at the first use. @throws DroverError when no spreadsheet is named. */
  readonly tables: Tables;
  /** CPU-bound work off the event loop. */
  readonly threads: Threads;
  readonly log: Logger;
  readonly slot: number;
  readonly generation: number;
  readonly addresses: readonly Address[];
  /** Aborted when this worker starts to drain. */
  readonly draining: AbortSignal;
  health(): Health;
}

export const drover: Drover = {
  get tables() {
    return runtime().service("tables");
  },
  get threads() {
    return runtime().service("threads");
  },
  get log() {
    return runtime().log;
  },
  get slot() {
    return runtime().slot;
  },
  get generation() {
    return runtime().generation;
  },
  get addresses() {
    return runtime().addresses;
  },
  get draining() {
    return runtime().draining;
  },
  health: () => runtime().health(),
};

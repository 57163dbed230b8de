/**
 * What an application may import: `import { drover } from "drover"`. It works in every form of application, inside a worker. A Fastify
 * plugin finds the same as `fastify.drover`.
 *
 *   const { rows } = await drover.tables.read("players");
 *   drover.log.info({ rows: rows.length }, "players");
 */
import type { FastifyPluginAsync, FastifyServerOptions } from "fastify";
import { applicationSlots, type Slots } from "./api/slots.ts";
import { applicationTables } from "./api/tables.ts";
import type { ApplicationTables, Found, NewValues, Reading, RowOf } from "./api/types.ts";
import type { Logger } from "./base/log.ts";
import type { Address, Health } from "./base/protocol.ts";
import { runtime } from "./base/runtime.ts";
import type { Tables } from "./sheets/client.ts";
import type { Ledger } from "./sheets/ledger.ts";
import type { Threads } from "./worker/app.ts";

export type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
export { TablesError, type TablesErrorReason } from "./api/errors.ts";
export type { SlotAdmission, Slots, SlotSession } from "./api/slots.ts";
export type { ApplicationTables, ChangeOptions, Found, NewValues, Reading, ReadOptions, WriteOptions, Written } from "./api/types.ts";
export type { HookEvents, Hooks } from "./base/hooks.ts";
export type { Logger } from "./base/log.ts";
export type { Address, Health } from "./base/protocol.ts";
export type { TableView } from "./sheets/client.ts";
export type { SlotsState } from "./sheets/ledger.ts";
export type { Cell, Row } from "./sheets/snapshot.ts";
export type { FetchApplication, Form, Listener, Threads } from "./worker/app.ts";

/**
 * The rows of your tables, for the compiler: add to it by `declare module "drover" { interface TableRows { players: Player } }`. Any
 * column but the key may be null. A hidden column is never there when a row is read, but can be written: declare it optional.
 */
export interface TableRows {}

/** A row of one of your tables. */
export type TableRow<N extends string> = RowOf<TableRows, N>;
/** What can be written into one. */
export type TableValues<N extends string> = NewValues<TableRow<N>>;
/** What `read` gives of one. */
export type TableReading<N extends string> = Reading<TableRow<N>>;
/** What `row` finds in one. */
export type TableFound<N extends string> = Found<TableRow<N>>;

/** An application in the form of a Fastify plugin: its default export. */
export type Plugin = FastifyPluginAsync;
/** What it may `export const options` for the Fastify instance that the worker makes. */
export type PluginOptions = Omit<FastifyServerOptions, "logger" | "loggerInstance" | "serverFactory">;

export interface Drover {
  /** The spreadsheet's tables; the broker is started at the first use. @throws DroverError when no spreadsheet is named. */
  readonly tables: ApplicationTables<TableRows>;
  /** Places for sessions of your own; kept by the broker too. @throws DroverError when no spreadsheet is named. */
  readonly slots: Slots;
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

declare module "fastify" {
  interface FastifyInstance {
    /** What drover gives an application that it loaded. */
    readonly drover: Drover;
  }
}

const faces = new WeakMap<Tables, ApplicationTables<TableRows>>();
const slots = new WeakMap<Ledger, Slots>();

export const drover: Drover = {
  get tables() {
    const service = runtime().service("tables");
    const face = faces.get(service) ?? (applicationTables(service) as ApplicationTables<TableRows>);
    faces.set(service, face);
    return face;
  },
  get slots() {
    const service = runtime().service("ledger");
    const face = slots.get(service) ?? applicationSlots(service);
    slots.set(service, face);
    return face;
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

/** The built-in application on a real HTTP server, in front of it the worker's real store of answers, behind it tables by hand. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import Fastify, { type FastifyInstance } from "fastify";
import { pino } from "pino";
import type { Piscina } from "piscina";
import application, { options } from "../../src/app/index.ts";
import type { Task } from "../../src/app/query/thread.ts";
import work from "../../src/app/query/thread.ts";
import { systemClock, type Clock } from "../../src/base/clock.ts";
import type { Health } from "../../src/base/protocol.ts";
import { installRuntime, type Services } from "../../src/base/runtime.ts";
import { ms, seconds, type Instant, type Timestamp } from "../../src/base/units.ts";
import { createTables } from "../../src/sheets/client.ts";
import type { Cell, VisibleColumn } from "../../src/sheets/snapshot.ts";
import type { Transport, TransportEvents } from "../../src/sheets/transport.ts";
import type { TableInfo, Unavailable } from "../../src/sheets/types.ts";
import { UnavailableError } from "../../src/sheets/unavailable.ts";
import { PreparedStore } from "../../src/worker/prepared.ts";
import { Tally } from "../../src/worker/tally.ts";
import { encode, type Encoded } from "./rows.ts";

/** A broker by hand: it says what the test tells it to. */
export class Sheet implements Transport {
  events: TransportEvents | undefined;
  readonly wants: string[] = [];
  readonly #rows = new Map<string, Encoded>();
  readonly #failures = new Map<string, Unavailable>();
  readonly #asOf = new Map<string, Timestamp>();
  #infos: TableInfo[] = [];
  #version = 0;

  listen(events: TransportEvents): void {
    this.events = events;
    events.tables(this.#infos);
  }

  table(name: string, read: TableInfo["read"], columns: readonly VisibleColumn[], rows: readonly (readonly Cell[])[]): void {
    this.#infos = [
      ...this.#infos.filter((info) => info.name !== name),
      { name, definition: "d", ttl: seconds(30), read, append: "nobody", update: "nobody" },
    ];
    this.#rows.set(name, encode(columns, rows));
    this.#asOf.set(name, 1_780_000_000_000 as Timestamp);
    this.events?.tables(this.#infos);
  }

  /** New rows, pushed to the worker. */
  push(name: string, columns: readonly VisibleColumn[], rows: readonly (readonly Cell[])[]): void {
    this.#rows.set(name, encode(columns, rows));
    this.#asOf.set(name, ((this.#asOf.get(name) ?? 0) + 1_000) as Timestamp);
    this.#deliver(name);
  }

  fail(why: Unavailable): void {
    this.#failures.set(why.table, why);
    this.events?.failed(why);
  }

  async want(name: string): Promise<void> {
    this.wants.push(name);
    const failure = this.#failures.get(name);
    if (failure !== undefined) throw new UnavailableError(failure);
    this.#deliver(name);
  }

  #deliver(name: string): void {
    const { bytes, hash } = this.#rows.get(name) as Encoded;
    const version = (this.#version += 1);
    const head = { table: name, epoch: 1, version, hash, asOf: this.#asOf.get(name) as Timestamp, checkedAt: systemClock.wall() };
    this.events?.snapshot({ head, bytes });
  }

  touch(): void {}
  close(): void {}
}

export interface World extends AsyncDisposable {
  readonly fastify: FastifyInstance;
  readonly url: string;
  readonly sheet: Sheet;
  readonly health: { -readonly [K in keyof Health]: Health[K] };
  readonly log: string[];
  /** Requests that came through to Fastify. */
  readonly reached: () => number;
  readonly threadRuns: Task["do"][];
  clockOffset: number;
  /** What the pool throws instead of working. */
  threadsFail: Error | undefined;
  /** Real threads instead of the fake. */
  pool: Piscina | undefined;
}

export const HEALTHY: Health = {
  status: "ok",
  generation: 1,
  workers: { ready: 4, target: 4 },
  broker: "ready",
  upstream: "ok",
  demo: true,
};

/** @param staticDir as the setting would say. */
export async function world(sheet: Sheet, staticDir?: string): Promise<World> {
  const state = {
    clockOffset: 0,
    threadsFail: undefined as Error | undefined,
    pool: undefined as Piscina | undefined,
    threadRuns: [] as Task["do"][],
    log: [] as string[],
  };
  const clock: Clock = {
    now: () => (systemClock.now() + state.clockOffset) as Instant,
    wall: () => (systemClock.wall() + state.clockOffset) as Timestamp,
  };
  const log = pino({ level: "trace" }, { write: (line: string) => void state.log.push(line) });
  const tally = new Tally();
  const prepared = new PreparedStore({ tally, clock, demo: false, written: () => {} });
  const health = { ...HEALTHY };
  const services: Partial<Services> = {
    tables: createTables(sheet, { clock, patience: ms(200) }),
    prepared,
    threads: {
      async run<T>(module: URL, task: unknown): Promise<T> {
        if (state.pool !== undefined) return (await state.pool.run(task, { filename: module.href })) as T;
        if (state.threadsFail !== undefined) throw state.threadsFail;
        state.threadRuns.push((task as Task).do);
        return work(structuredClone(task) as Task) as T;
      },
    },
    site: { staticDir },
    live: { reconnect: seconds(5), mostStreams: 20 },
    streams: { opened: () => {} },
  };
  const service = <K extends keyof Services>(name: K): Services[K] => {
    const found = services[name];
    if (found === undefined) throw new Error(`no service ${name}`);
    return found;
  };
  installRuntime({ slot: 0, generation: 1, addresses: [], log, draining: new AbortController().signal, health: () => health, service });
  const fastify = Fastify({ ...options, logger: false });
  await fastify.register(application);
  await fastify.ready();
  let reached = 0;
  const server = createServer((req, res) => {
    if (prepared.answer(req, res)) return;
    reached += 1;
    fastify.routing(req, res);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return Object.assign(state as unknown as World, {
    fastify,
    sheet,
    health,
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    reached: () => reached,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await fastify.close();
    },
  });
}

export const PLAYERS: readonly VisibleColumn[] = [
  { name: "id", type: "string" },
  { name: "name", type: "string" },
  { name: "score", type: "integer" },
];

export const players = (count: number): Cell[][] =>
  Array.from({ length: count }, (_, i) => [`p${i + 1}`, `Joueur ${i + 1}`, (i * 37) % 101]);

/** A sheet with a public table, a private one and one for people who are signed in. */
export function sampleSheet(count = 12): Sheet {
  const sheet = new Sheet();
  sheet.table("players", "public", PLAYERS, players(count));
  sheet.table(
    "secrets",
    "nobody",
    [
      { name: "id", type: "string" },
      { name: "hush", type: "string" },
    ],
    [["s1", "CANARY-1"]],
  );
  sheet.table(
    "members",
    "signed-in",
    [
      { name: "id", type: "string" },
      { name: "mail", type: "string" },
    ],
    [["m1", "CANARY-2"]],
  );
  sheet.table("own", "own rows", [{ name: "id", type: "string" }], [["CANARY-3"]]);
  return sheet;
}

/** The built-in application on a real HTTP server, in front of it the worker's real store of answers, behind it tables by hand. */
import { createHash } from "node:crypto";
import type { IncomingMessage } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import Fastify, { type FastifyInstance } from "fastify";
import { pino } from "pino";
import type { Piscina } from "piscina";
import { http } from "../../src/base/http.ts";
import application, { options } from "../../src/app/index.ts";
import type { Task } from "../../src/app/query/thread.ts";
import work from "../../src/app/query/thread.ts";
import { systemClock, type Clock } from "../../src/base/clock.ts";
import type { Counters } from "../../src/base/counters.ts";
import type { Health } from "../../src/base/protocol.ts";
import { SLOT_NOUN } from "../../src/base/slots.ts";
import { installRuntime, type Services } from "../../src/base/runtime.ts";
import { minutes, ms, seconds, type Instant, type Timestamp } from "../../src/base/units.ts";
import { NO_LIMITS } from "../../src/app/limits/rules.ts";
import { checkPassword, type PasswordTask } from "../../src/app/session/scrypt.ts";
import { createTables } from "../../src/sheets/client.ts";
import type { Ledger, Tallies } from "../../src/sheets/ledger.ts";
import { readAccounts } from "../../src/sheets/accounts.ts";
import { deriveKey } from "../../src/sheets/secrets.ts";
import { ACCOUNTS } from "../../src/sheets/users.ts";
import type { Cell, VisibleColumn } from "../../src/sheets/snapshot.ts";
import type { Transport, TransportEvents } from "../../src/sheets/transport.ts";
import type { Priority, SnapshotHead, TableInfo, Unavailable } from "../../src/sheets/types.ts";
import { NO_KEY } from "../../src/sheets/rowids.ts";
import { UnavailableError } from "../../src/sheets/unavailable.ts";
import type { Change, Delivery, Write, WriteAnswer, WriteRefusal, WriteRequest, WriteWait } from "../../src/sheets/writes.ts";
import { PreparedStore } from "../../src/worker/prepared.ts";
import { Tally } from "../../src/worker/tally.ts";
import { ledgerByHand, type ByHand } from "../broker/ledger/ledgers.ts";
import { encode, type Encoded } from "./rows.ts";

/** A broker by hand: it says what the test tells it to. */
export class Sheet implements Transport {
  events: TransportEvents | undefined;
  readonly wants: string[] = [];
  /** The same, with what each is for. */
  readonly priorities: [name: string, priority: Priority | undefined][] = [];
  /** What came to be written, accepted or not. */
  readonly asked: { readonly request: WriteRequest; readonly wait: WriteWait }[] = [];
  /** Writes that were accepted, by id. */
  readonly written = new Map<string, Write>();
  delivery: Delivery = "exactly-once";
  /** The state that accepted writes have when they are answered, and why, if they are parked. */
  outcome: Pick<Write, "state" | "reason" | "landedAt"> = { state: "journaled" };
  /** Instead of an answer of its own. */
  refuse: WriteRefusal | undefined;
  unfindable: Unavailable | undefined;
  readonly #contents = new Map<string, { readonly columns: readonly VisibleColumn[]; readonly rows: readonly (readonly Cell[])[] }>();
  readonly #once = new Map<string, { readonly digest: string; readonly writes: readonly Write[] }>();
  readonly #rows = new Map<string, Encoded>();
  readonly #keyless = new Set<string>();
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
    this.#keep(name, columns, rows);
    this.#asOf.set(name, 1_780_000_000_000 as Timestamp);
    this.events?.tables(this.#infos);
  }

  /** A public table whose rows have ids instead of keys. */
  keyless(name: string, columns: readonly VisibleColumn[], rows: readonly (readonly Cell[])[]): void {
    this.#keyless.add(name);
    this.table(name, "public", columns, rows);
  }

  /** Who may log in, as the users' range says: name, secret, role. */
  users(rows: readonly (readonly [name: string, secret: string, role?: string])[], key: string = KEYS[0] as string): void {
    const said = { name: "name", secret: "code", role: "role" };
    const nobody = { read: "nobody", append: "nobody", update: "nobody" } as const;
    const table = { name: ACCOUNTS, range: "people", key: undefined, ttl: seconds(30), columns: [], ...nobody, accounts: said };
    const reading = readAccounts([["name", "code", "role"], ...rows.map((row) => [...row])], table, deriveKey(key));
    if (reading.is === "malformed") throw new Error(reading.why);
    const { columns, rows: accounts } = reading.content;
    if (this.#contents.has(ACCOUNTS)) this.push(ACCOUNTS, columns, accounts);
    else this.table(ACCOUNTS, "nobody", columns, accounts);
  }

  /** Forgets a table. */
  without(name: string): this {
    this.#infos = this.#infos.filter((info) => info.name !== name);
    this.events?.tables(this.#infos);
    return this;
  }

  /** Changes who may do what. */
  grant(name: string, rights: Partial<Pick<TableInfo, "read" | "append" | "update" | "owner" | "key">>): void {
    this.#infos = this.#infos.map((info) => (info.name === name ? { ...info, ...rights } : info));
    this.events?.tables(this.#infos);
  }

  /** What a table's rows are now, by key. */
  rows(name: string): ReadonlyMap<string, readonly Cell[]> {
    const keyless = this.#keyless.has(name);
    return new Map(this.#contents.get(name)?.rows.map((row, nr) => [keyless ? `row ${nr}` : String(row[0]), row]));
  }

  async write(request: WriteRequest, wait: WriteWait): Promise<WriteAnswer> {
    this.asked.push(structuredClone({ request, wait }));
    if (this.refuse !== undefined) return { is: "refused", refusal: this.refuse };
    const { table, changes, once } = request;
    const before = once === undefined ? undefined : this.#once.get(once.key);
    if (before !== undefined)
      return before.digest === once?.digest
        ? { is: "written", writes: before.writes, delivery: this.delivery, repeated: true }
        : { is: "refused", refusal: { reason: "reused-key", message: "used before" } };
    if (request.replay === true) return { is: "refused", refusal: { reason: "unknown-key", message: "never accepted" } };
    const content = this.#contents.get(table);
    if (content === undefined) return { is: "refused", refusal: { reason: "unknown-table", message: "gone" } };
    const rows = new Map(this.rows(table));
    const writes: Write[] = [];
    for (const [nr, change] of changes.entries()) {
      const id = `01J${String(this.written.size + writes.length).padStart(23, "0")}`;
      const refusal = this.#apply(table, content.columns, rows, change, id);
      if (refusal !== undefined) return { is: "refused", refusal: { ...refusal, nr } };
      const key = change.op === "append" ? String(change.values[content.columns[0]?.name ?? ""] ?? id) : change.key;
      writes.push({ id, table, op: change.op, key, at: 1_780_000_001_000 as Timestamp, ...this.outcome });
    }
    for (const write of writes) this.written.set(write.id, write);
    if (once !== undefined) this.#once.set(once.key, { digest: once.digest, writes });
    this.push(table, content.columns, [...rows.values()]);
    return { is: "written", writes, delivery: this.delivery, repeated: false };
  }

  #apply(
    table: string,
    columns: readonly VisibleColumn[],
    rows: Map<string, readonly Cell[]>,
    change: Change,
    id: string,
  ): WriteRefusal | undefined {
    const values = change.op === "delete" ? {} : change.values;
    const unknown = Object.keys(values).find((name) => name !== "hidden" && !columns.some((column) => column.name === name));
    if (unknown !== undefined) return { reason: "invalid", message: `there is no column ${unknown}`, column: unknown };
    const given = this.#keyless.has(table) ? undefined : values[columns[0]?.name ?? ""];
    const key = change.op === "append" ? String(given ?? id) : change.key;
    const row = rows.get(key);
    if (change.op === "append") {
      if (row !== undefined) return { reason: "duplicate-key", message: `${key} is there already`, column: "id" };
      rows.set(
        key,
        columns.map(({ name }, i) => (i === 0 && !this.#keyless.has(table) ? key : (values[name] ?? null))),
      );
      return undefined;
    }
    if (row === undefined) return { reason: "unknown-key", message: "no such row" };
    if (change.ifMatch !== undefined && change.ifMatch !== tagOf(table, columns, row)) return { reason: "conflict", message: "changed" };
    if (change.op === "delete") rows.delete(key);
    else
      rows.set(
        key,
        columns.map(({ name }, i) => (Object.hasOwn(values, name) ? (values[name] ?? null) : (row[i] ?? null))),
      );
    return undefined;
  }

  async find(id: string): Promise<Write | undefined> {
    if (this.unfindable !== undefined) throw new UnavailableError(this.unfindable);
    return this.written.get(id);
  }

  #keep(name: string, columns: readonly VisibleColumn[], rows: readonly (readonly Cell[])[]): void {
    this.#contents.set(name, { columns, rows });
    this.#rows.set(name, encode(columns, rows, this.#keyless.has(name) ? NO_KEY : 0));
  }

  /** New rows, pushed to the worker. */
  push(name: string, columns: readonly VisibleColumn[], rows: readonly (readonly Cell[])[]): void {
    this.#keep(name, columns, rows);
    this.#asOf.set(name, ((this.#asOf.get(name) ?? 0) + 1_000) as Timestamp);
    this.#deliver(name);
  }

  /** What is said of a table's rows besides what they are. */
  readonly notes = new Map<string, Pick<SnapshotHead, "warnings" | "hidden">>();

  fail(why: Unavailable): void {
    this.#failures.set(why.table, why);
    this.events?.failed(why);
  }

  async want(name: string, _held?: string, priority?: Priority): Promise<boolean> {
    this.wants.push(name);
    this.priorities.push([name, priority]);
    const failure = this.#failures.get(name);
    if (failure !== undefined) throw new UnavailableError(failure);
    this.#deliver(name);
    return true;
  }

  #deliver(name: string): void {
    const { bytes, hash } = this.#rows.get(name) as Encoded;
    const version = (this.#version += 1);
    const head = {
      table: name,
      epoch: 1,
      version,
      hash,
      asOf: this.#asOf.get(name) as Timestamp,
      checkedAt: systemClock.wall(),
      ...this.notes.get(name),
    };
    this.events?.snapshot({ head, bytes });
  }

  touch(): void {}
  close(): void {}
}

/** A row's tag, as a client finds it in the ETag of the row's own answer. */
function tagOf(table: string, columns: readonly VisibleColumn[], row: readonly Cell[]): string {
  const cells = columns.map(({ name }, i) => `${JSON.stringify(name)}:${JSON.stringify(row[i] ?? null)}`).join(",");
  return createHash("sha256")
    .update(`{"table":${JSON.stringify(table)},"row":{${cells}}}`)
    .digest()
    .subarray(0, 15)
    .toString("base64url");
}

export interface World extends AsyncDisposable {
  readonly fastify: FastifyInstance;
  readonly url: string;
  readonly sheet: Sheet;
  readonly health: { -readonly [K in keyof Health]: Health[K] };
  readonly log: string[];
  /** The broker's. */
  readonly ledger: ByHand;
  /** The worker's. */
  readonly counters: Counters;
  /** Who the client is said to be, and whether it speaks HTTPS. */
  address: string;
  secure: boolean;
  /** Requests that came through to Fastify. */
  readonly reached: () => number;
  readonly threadRuns: string[];
  /** Of each open connection, the bytes that the process holds because its client does not read. */
  readonly unread: () => number[];
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

/** The session key of a world that names none. */
export const KEYS = ["a session key that has over 32 characters"];

/** The settings of sessions, as a world has them. */
export const SESSIONS = { keys: KEYS, idle: minutes(120), lifetime: minutes(24 * 60), noun: SLOT_NOUN };

/** What an application needs besides to let people in, who may do what they like. */
export const loginServices = (
  ledger: Ledger & Tallies = ledgerByHand({ rules: { max: 500 } }).worker(),
): Pick<Services, "ledger" | "sessions" | "limits"> => ({ ledger, sessions: SESSIONS, limits: NO_LIMITS });

/**
 * @param staticDir as the setting would say.
 * @param more services that stand in place of the usual ones.
 */
export async function world(sheet: Sheet, staticDir?: string, more: Partial<Services> = {}): Promise<World> {
  const state = {
    clockOffset: 0,
    address: "198.51.100.7",
    secure: false,
    threadsFail: undefined as Error | undefined,
    pool: undefined as Piscina | undefined,
    threadRuns: [] as string[],
    log: [] as string[],
    ledger: undefined as unknown as ByHand,
  };
  const clock: Clock = {
    now: () => (systemClock.now() + state.clockOffset) as Instant,
    wall: () => (systemClock.wall() + state.clockOffset) as Timestamp,
  };
  state.ledger = ledgerByHand({ clock, rules: { max: 500 } });
  const addressed = ({ headers }: IncomingMessage): string => String(headers["x-test-address"] ?? state.address);
  const log = pino({ level: "trace" }, { write: (line: string) => void state.log.push(line) });
  const tally = new Tally();
  const prepared = new PreparedStore({ tally, clock, demo: false, written: () => {} });
  const health = { ...HEALTHY };
  const services: Partial<Services> = {
    tables: createTables(sheet, { clock, patience: ms(200) }),
    prepared,
    threads: {
      async run<T>(module: URL, task: unknown, { name }: { name?: string } = {}): Promise<T> {
        if (state.pool !== undefined) return (await state.pool.run(task, { filename: module.href, name: name ?? "default" })) as T;
        if (state.threadsFail !== undefined) throw state.threadsFail;
        if (module.pathname.endsWith("/scrypt.ts")) return checkPassword(structuredClone(task) as PasswordTask) as T;
        state.threadRuns.push(name ?? (task as Task).do);
        if (name === undefined) return work(structuredClone(task) as Task) as T;
        const functions = (await import(module.href)) as Record<string, (task: unknown) => T>;
        return structuredClone(functions[name]?.(structuredClone(task))) as T;
      },
    },
    site: { staticDir },
    live: { reconnect: seconds(5), mostStreams: 20 },
    streams: { opened: () => {}, waits: () => {} },
    clients: { addressOf: addressed, countable: addressed, isSecure: () => state.secure },
    ...loginServices(state.ledger.worker()),
    ...more,
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
  const server = http.createServer((req, res) => {
    if (prepared.answer(req, res)) return;
    reached += 1;
    fastify.routing(req, res);
  });
  server.keepAliveTimeout = 0; // a machine that stands still for a while must not look like a server that hangs up
  const sockets = new Set<Socket>();
  server.on("connection", (socket: Socket) => void sockets.add(socket));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return Object.assign(state as unknown as World, {
    fastify,
    sheet,
    health,
    counters: tally.counters,
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    reached: () => reached,
    unread: () => [...sockets].filter((socket) => !socket.destroyed).map((socket) => socket.writableLength),
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await fastify.close();
      state.ledger.host.close();
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

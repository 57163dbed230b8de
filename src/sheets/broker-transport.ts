import { randomBytes } from "node:crypto";
import type { Logger } from "../base/log.ts";
import { ms, seconds, type Ms } from "../base/units.ts";
import { Connection } from "./connection.ts";
import { share } from "./direct-transport.ts";
import type { Position } from "./events.ts";
import type { Transport, TransportEvents } from "./transport.ts";
import type { SnapshotHead } from "./types.ts";
import { UnavailableError } from "./unavailable.ts";
import { PROTOCOL, type FromBroker, type FromClient } from "./wire.ts";

export interface BrokerTransportOptions {
  /** The broker's unix socket. */
  readonly path: string;
  readonly slot: number;
  readonly generation: number;
  /** How long a call may take, reconnections included (broker_timeout). */
  readonly timeout: Ms;
  readonly log?: Logger;
}

/** A call without an answer yet: said again, under the same id, to whichever broker answers next. */
interface Outstanding {
  readonly message: FromClient;
  readonly settle: (failure?: Error) => void;
}

const TICK = ms(25);
const LONGEST_PAUSE = ms(1_000);
/** A connection that lasted less was no success: the pauses go on growing. */
const LASTING = ms(1_000);
const newer = (head: SnapshotHead, than: SnapshotHead | undefined): boolean =>
  than === undefined || head.epoch > than.epoch || (head.epoch === than.epoch && head.version >= than.version);

/** The transport of a worker: one connection, made again whenever it is lost. */
class BrokerTransport implements Transport {
  readonly #options: BrokerTransportOptions;
  readonly #ids = randomBytes(6).toString("hex");
  readonly #outstanding = new Map<string, Outstanding>();
  readonly #touched = new Set<string>();
  readonly #heads = new Map<string, SnapshotHead>();
  /** The last change that was heard of. */
  #feed: Position | undefined;
  #events: TransportEvents | undefined;
  #connection: Connection | undefined;
  #tick: NodeJS.Timeout | undefined;
  #retry: NodeJS.Timeout | undefined;
  #failures = 0;
  #calls = 0;
  #up = false;
  #upSince = 0;
  #closed = false;

  constructor(options: BrokerTransportOptions) {
    this.#options = options;
  }

  listen(events: TransportEvents): void {
    this.#events = events;
    this.#connect();
  }

  want(table: string, held: string | undefined): Promise<void> {
    const id = `${this.#ids}-${(this.#calls += 1)}`;
    const params = held === undefined ? { table } : { table, held };
    const message: FromClient = { type: "call", id, method: "want", params };
    return new Promise((resolve, reject) => {
      const settle = (failure?: Error): void => {
        clearTimeout(timer);
        this.#outstanding.delete(id);
        if (failure === undefined) resolve();
        else reject(failure);
      };
      const timer = setTimeout(() => settle(this.#away(table, "did not answer in time")), this.#options.timeout);
      if (this.#closed) return settle(this.#away(table, "is no longer used by this process"));
      this.#outstanding.set(id, { message, settle });
      if (this.#up) this.#connection?.say(message);
    });
  }

  touch(table: string): void {
    this.#touched.add(table);
    this.#tick ??= setTimeout(() => {
      this.#tick = undefined;
      const tables = [...this.#touched];
      this.#touched.clear();
      if (this.#up) this.#connection?.say({ type: "touch", tables }); // else the next stale hit asks again
    }, TICK);
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#tick);
    clearTimeout(this.#retry);
    this.#connection?.end();
    for (const { message, settle } of this.#outstanding.values())
      settle(this.#away(message.type === "call" ? message.params.table : "", "is no longer used by this process"));
  }

  #away(table: string, text: string): UnavailableError {
    return new UnavailableError({ table, reason: "broker", message: `the broker ${text}`, retryAfter: seconds(1) });
  }

  #connect(): void {
    const { path, slot, generation } = this.#options;
    const held = Object.fromEntries([...this.#heads].map(([table, head]) => [table, head.hash]));
    this.#connection = new Connection(path, {
      hello: { type: "hello", protocol: PROTOCOL, slot, generation, held, feed: this.#feed ?? null },
      heard: (message, body) => this.#heard(message, body),
      lost: (why) => this.#lost(why),
    });
  }

  /** The first attempt follows at once, because a broker's successor is there already; then pauses up to a second. */
  #lost(why: string): void {
    const was = this.#up;
    this.#up = false;
    if (this.#closed) return;
    if (was && performance.now() - this.#upSince > LASTING) this.#failures = 0;
    if (was) this.#events?.link(false);
    if (was) this.#options.log?.debug({ path: this.#options.path }, `the connection to the broker ended: ${why}`); // a successor is there at once
    if (this.#failures === 4) this.#options.log?.warn({ path: this.#options.path }, `the broker is away: ${why}`);
    const pause = this.#failures === 0 ? 0 : Math.min(LONGEST_PAUSE, 25 * 2 ** this.#failures);
    this.#failures += 1;
    this.#retry = setTimeout(() => this.#connect(), pause);
  }

  #heard(message: FromBroker, body: Uint8Array): void {
    switch (message.type) {
      case "hello":
        return this.#greeted();
      case "refused":
        return this.#connection?.drop(`it refuses this worker: ${message.message}`);
      case "tables":
        return this.#events?.tables(message.tables);
      case "snapshot":
        if (this.#follows(message.head)) this.#events?.snapshot({ head: message.head, bytes: share(body) });
        return;
      case "renewed":
        if (this.#follows(message.head)) this.#events?.renewed(message.head);
        return;
      case "changes":
        this.#feed = message.upTo;
        return this.#events?.changes({ after: message.after, events: message.events, upTo: message.upTo });
      case "failed":
        return this.#events?.failed(message.why);
      case "reply":
        return this.#outstanding.get(message.id)?.settle(message.why === undefined ? undefined : new UnavailableError(message.why));
      default:
        return message satisfies never;
    }
  }

  #greeted(): void {
    this.#up = true;
    this.#upSince = performance.now();
    this.#events?.link(true);
    for (const { message } of this.#outstanding.values()) this.#connection?.say(message);
  }

  /** Keeps the newest head of each table; says whether this is it. */
  #follows(head: SnapshotHead): boolean {
    const known = this.#heads.get(head.table);
    if (!newer(head, known)) return false;
    this.#heads.set(head.table, head);
    return true;
  }
}

/** The tables through the broker's unix socket. Connects when `listen` is called. */
export function brokerTransport(options: BrokerTransportOptions): Transport {
  return new BrokerTransport(options);
}

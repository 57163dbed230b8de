/** The tables and the ledger through the broker's socket: one connection, made again whenever it is lost. */
import type { Logger } from "../base/log.ts";
import { ms, seconds, type Ms } from "../base/units.ts";
import { Connection } from "./connection.ts";
import { share } from "./direct-transport.ts";
import type { Position } from "./events.ts";
import { LedgerCalls } from "./ledger-calls.ts";
import type { LedgerLink } from "./ledger-link.ts";
import { OutstandingCalls, type Ending } from "./outstanding.ts";
import type { Transport, TransportEvents } from "./transport.ts";
import { EVERY_TABLE, type Priority, type SnapshotHead } from "./types.ts";
import type { Write, WriteAnswer, WriteRequest, WriteWait } from "./writes.ts";
import { UnavailableError } from "./unavailable.ts";
import { PROTOCOL, type FromBroker } from "./wire.ts";

export interface BrokerTransportOptions {
  /** The broker's unix socket. */
  readonly path: string;
  readonly slot: number;
  readonly generation: number;
  /** How long a call may take, reconnections included (broker_timeout). */
  readonly timeout: Ms;
  readonly log?: Logger;
}

const TICK = ms(25);
/** Between attempts to connect: a broker that was killed is back within a second, and what this side shows meanwhile is old. */
const LONGEST_PAUSE = { soon: ms(100), later: ms(1_000) };
const SOON = 40;
/** Failures in a row after which the broker counts as unavailable: a successor is there by the first or second attempt. */
const LOST_AFTER = 4;
/** A connection that lasted less was no success: the pauses go on growing. */
const LASTING = ms(1_000);
/** The broker is to answer a call that waits for the sheet before this side gives up. */
const MARGIN = ms(500);
/** @returns the answer to a write that has none. */
function unanswered({ why, unsure }: Extract<Ending, { type: "none" }>): WriteAnswer {
  const message = unsure
    ? `the broker ${why}, and whether this was written is not known: said again with the same Idempotency-Key it is written once at most`
    : `the broker ${why}: nothing was written`;
  return { is: "refused", refusal: { reason: "away", message, retryAfter: seconds(1), unsure } };
}

const away = (table: string, why: string): UnavailableError =>
  new UnavailableError({ table, reason: "broker", message: `the broker ${why}`, retryAfter: seconds(1) });

const newer = (head: SnapshotHead, than: SnapshotHead | undefined): boolean =>
  than === undefined || head.epoch > than.epoch || (head.epoch === than.epoch && head.version >= than.version);

/** The transport of a worker: one connection, made again whenever it is lost. */
class BrokerTransport implements BrokerLink {
  readonly #options: BrokerTransportOptions;
  readonly #calls = new OutstandingCalls({
    isUp: () => this.#up,
    say: (message) => this.#connection?.say(message),
  });
  readonly #touched = new Set<string>();
  readonly #heads = new Map<string, SnapshotHead>();
  /** The last change that was heard of. */
  #feed: Position | undefined;
  #events: TransportEvents | undefined;
  #connection: Connection | undefined;
  #tick: NodeJS.Timeout | undefined;
  #retry: NodeJS.Timeout | undefined;
  #failures = 0;
  #up = false;
  #upSince = 0;
  #closed = false;

  readonly ledger = new LedgerCalls({
    ask: (call, within) => this.#calls.make(call, within ?? this.#options.timeout),
    tell: (message) => void (this.#up && this.#connection?.say(message)),
  });

  constructor(options: BrokerTransportOptions) {
    this.#options = options;
  }

  get lost(): boolean {
    return !this.#up && this.#failures > LOST_AFTER;
  }

  listen(events: TransportEvents): void {
    this.#events = events;
    this.#connect();
  }

  async want(table: string, held: string | undefined, priority?: Priority): Promise<boolean> {
    const params = { table, ...(held === undefined ? {} : { held }), ...(priority === undefined ? {} : { priority }) };
    const how = await this.#calls.make(() => ({ method: "want", params }), this.#options.timeout);
    if (how.type === "none") throw away(table, how.why);
    if (how.type === "reply" && how.why !== undefined) throw new UnavailableError(how.why);
    return how.type === "reply" && how.waited === true;
  }

  async write(request: WriteRequest, wait: WriteWait): Promise<WriteAnswer> {
    const bytes = 2 * JSON.stringify(request).length;
    if (!this.#calls.hasRoom(bytes)) {
      const message = "too many writes of this worker wait for the broker: nothing was written";
      return { is: "refused", refusal: { reason: "full", message, retryAfter: seconds(1) } };
    }
    const { timeout } = this.#options;
    const deadline = performance.now() + timeout;
    const within = (): Ms => ms(Math.max(0, deadline - performance.now() - MARGIN));
    const how = await this.#calls.make(() => ({ method: "write", params: { request, wait, within: within() } }), timeout, bytes);
    if (how.type === "answer") return how.answer;
    return unanswered(how.type === "none" ? how : { type: "none", why: "answered something else", unsure: true });
  }

  async find(id: string): Promise<Write | undefined> {
    const how = await this.#calls.make(() => ({ method: "find", params: { write: id } }), this.#options.timeout);
    if (how.type === "none") throw away(EVERY_TABLE, how.why);
    if (how.type === "reply" && how.why !== undefined) throw new UnavailableError(how.why);
    return how.type === "found" ? how.write : undefined;
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
    this.#calls.close();
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

  /** The first attempt follows at once, because a broker's successor is there already; then after pauses up to 0.1 s, after 4 s up to a second. */
  #lost(why: string): void {
    const was = this.#up;
    this.#up = false;
    if (this.#closed) return;
    this.#calls.lost();
    if (was && performance.now() - this.#upSince > LASTING) this.#failures = 0;
    if (was) this.#events?.link(false);
    if (was) this.ledger.linked(false);
    if (was) this.#options.log?.debug({ path: this.#options.path }, `the connection to the broker ended: ${why}`); // a successor is there at once
    if (this.#failures === LOST_AFTER) this.#options.log?.warn({ path: this.#options.path }, `the broker is away: ${why}`);
    const longest = this.#failures < SOON ? LONGEST_PAUSE.soon : LONGEST_PAUSE.later;
    const pause = this.#failures === 0 ? 0 : Math.min(longest, 25 * 2 ** this.#failures);
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
        return this.#arrived(message.head, body);
      case "edited":
        return this.#edited(message, body);
      case "renewed":
        if (this.#follows(message.head)) this.#events?.renewed(message.head);
        return;
      case "changes":
        this.#feed = message.upTo;
        return this.#events?.changes({ after: message.after, events: message.events, upTo: message.upTo });
      case "failed":
        return this.#events?.failed(message.why);
      case "reply":
      case "found":
      case "answer":
      case "entered":
      case "left":
      case "spent":
        return this.#calls.answered(message);
      case "slots":
      case "ended":
      case "tallied":
        return this.ledger.heard(message);
      case "yielded": // said to brokers only
      case "copied": // said to `drover backup` only
      case "uncopied":
        return;
      default:
        return message satisfies never;
    }
  }

  #greeted(): void {
    this.#up = true;
    this.#upSince = performance.now();
    this.#events?.link(true);
    this.ledger.linked(true);
    this.#calls.sayAll();
  }

  /** Acknowledged once they are what this process answers from; older ones are superseded, and so acknowledged too. */
  #arrived(head: SnapshotHead, body: Uint8Array): void {
    if (this.#follows(head)) this.#events?.snapshot({ head, bytes: share(body) });
    this.#saw(head);
  }

  #edited({ head, from, edits }: Extract<FromBroker, { type: "edited" }>, added: Uint8Array): void {
    if (!this.#follows(head) || this.#events?.edited({ head, from, edits, added }) !== false) return this.#saw(head);
    this.#heads.delete(head.table);
    this.#connection?.say({ type: "behind", table: head.table });
  }

  #saw({ table, epoch, version }: SnapshotHead): void {
    this.#connection?.say({ type: "seen", table, epoch, version });
  }

  /** Keeps the newest head of each table; says whether this is it. */
  #follows(head: SnapshotHead): boolean {
    const known = this.#heads.get(head.table);
    if (!newer(head, known)) return false;
    this.#heads.set(head.table, head);
    return true;
  }
}

/** A transport, and beside the tables the ledger. */
export interface BrokerLink extends Transport {
  readonly ledger: LedgerLink;
  /** Several attempts to connect have failed. */
  readonly lost: boolean;
}

/** The tables through the broker's unix socket. Connects when `listen` is called. */
export function brokerTransport(options: BrokerTransportOptions): BrokerLink {
  return new BrokerTransport(options);
}

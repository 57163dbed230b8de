import { randomBytes } from "node:crypto";
import type { Logger } from "../base/log.ts";
import { ms, seconds, type Ms } from "../base/units.ts";
import { Connection } from "./connection.ts";
import { share } from "./direct-transport.ts";
import type { Position } from "./events.ts";
import { isAnswered, LedgerCalls, type LedgerAnswer } from "./ledger-calls.ts";
import type { LedgerLink } from "./ledger-link.ts";
import type { Transport, TransportEvents } from "./transport.ts";
import { EVERY_TABLE, type Priority, type SnapshotHead } from "./types.ts";
import type { Write, WriteAnswer, WriteRequest, WriteWait } from "./writes.ts";
import { UnavailableError } from "./unavailable.ts";
import { PROTOCOL, type Call, type FromBroker, type FromClient } from "./wire.ts";

export interface BrokerTransportOptions {
  /** The broker's unix socket. */
  readonly path: string;
  readonly slot: number;
  readonly generation: number;
  /** How long a call may take, reconnections included (broker_timeout). */
  readonly timeout: Ms;
  readonly log?: Logger;
}

type Written = Extract<WriteAnswer, { is: "written" }>;
type WriteAnswered = Extract<FromBroker, { type: "answer" }>;

/** How a call ended. */
type Ending =
  | Extract<FromBroker, { type: "reply" | "found" }>
  | WriteAnswered
  | LedgerAnswer
  /** Without an answer. `unsure`: it was said, and may have had its effect. */
  | { readonly type: "none"; readonly why: string; readonly unsure: boolean };

/** A call without an answer yet: said again, under the same id, to whichever broker answers next. */
interface Outstanding {
  readonly message: () => FromClient;
  /** It may have reached a broker that did not answer. */
  unsure: boolean;
  /** It has been said to the broker that is there now. */
  said: boolean;
  /** What it was answered by a broker that gave the journal up before the sheet had it: good, unless there is a better one. */
  answer: Written | undefined;
  readonly end: (how: Ending) => void;
  /** Ends it without an answer. */
  readonly give: (why: string) => void;
}

const TICK = ms(25);
/** Between attempts to connect: a broker that was killed is back within a second, and what this side shows meanwhile is old. */
const LONGEST_PAUSE = { soon: ms(100), later: ms(1_000) };
const SOON = 40;
/** A connection that lasted less was no success: the pauses go on growing. */
const LASTING = ms(1_000);
/** A broker that is handing over is asked again after this time, unless its successor is there before. */
const AGAIN = ms(50);
/** The broker is to answer a call that waits for the sheet before this side gives up. */
const MARGIN = ms(500);
/** What the other end, which may be away, is to be told: less than what a connection takes, and less calls than a broker does. */
const MOST_OUTSTANDING = 900;
/** Of all kinds: a broker closes the connection at a thousand. */
const MOST_CALLS = 990;
const MOST_BYTES = 3 * 1_048_576;
const UNUSED = "is no longer used by this process";

/** @returns the answer to a write that has none. */
function unanswered({ why, unsure }: Extract<Ending, { type: "none" }>): WriteAnswer {
  const message = unsure
    ? `the broker ${why}, and whether this was written is not known: said again with the same Idempotency-Key it is written once at most`
    : `the broker ${why}: nothing was written`;
  return { is: "refused", refusal: { reason: "away", message, retryAfter: seconds(1), unsure } };
}

/** @returns how a write ends; undefined: it is to be said again, and what was answered until now is kept. */
function endOfWrite(message: WriteAnswered, call: Outstanding): WriteAnswered | undefined {
  const { answer } = message;
  if (answer.is === "refused") return answer.refusal.reason === "away" ? undefined : { ...message, answer: call.answer ?? answer };
  const { moved, ...written } = { ...answer, repeated: call.answer?.repeated ?? answer.repeated };
  if (moved !== true) return { ...message, answer: written };
  call.answer = written;
  return undefined;
}

const away = (table: string, why: string): UnavailableError =>
  new UnavailableError({ table, reason: "broker", message: `the broker ${why}`, retryAfter: seconds(1) });

const newer = (head: SnapshotHead, than: SnapshotHead | undefined): boolean =>
  than === undefined || head.epoch > than.epoch || (head.epoch === than.epoch && head.version >= than.version);

/** The transport of a worker: one connection, made again whenever it is lost. */
class BrokerTransport implements BrokerLink {
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
  /** Of calls without an answer. */
  #bytes = 0;
  #up = false;
  #upSince = 0;
  #closed = false;

  readonly ledger = new LedgerCalls({
    ask: (call, within) => this.#call(call, 0, within),
    tell: (message) => void (this.#up && this.#connection?.say(message)),
  });

  constructor(options: BrokerTransportOptions) {
    this.#options = options;
  }

  listen(events: TransportEvents): void {
    this.#events = events;
    this.#connect();
  }

  async want(table: string, held: string | undefined, priority?: Priority): Promise<void> {
    const params = { table, ...(held === undefined ? {} : { held }), ...(priority === undefined ? {} : { priority }) };
    const how = await this.#call(() => ({ method: "want", params }));
    if (how.type === "none") throw away(table, how.why);
    if (how.type === "reply" && how.why !== undefined) throw new UnavailableError(how.why);
  }

  async write(request: WriteRequest, wait: WriteWait): Promise<WriteAnswer> {
    const bytes = 2 * JSON.stringify(request).length;
    if (this.#outstanding.size >= MOST_OUTSTANDING || this.#bytes + bytes > MOST_BYTES) {
      const message = "too many writes of this worker wait for the broker: nothing was written";
      return { is: "refused", refusal: { reason: "full", message, retryAfter: seconds(1) } };
    }
    const deadline = performance.now() + this.#options.timeout;
    const within = (): Ms => ms(Math.max(0, deadline - performance.now() - MARGIN));
    const how = await this.#call(() => ({ method: "write", params: { request, wait, within: within() } }), bytes);
    if (how.type === "answer") return how.answer;
    return unanswered(how.type === "none" ? how : { type: "none", why: "answered something else", unsure: true });
  }

  async find(id: string): Promise<Write | undefined> {
    const how = await this.#call(() => ({ method: "find", params: { write: id } }));
    if (how.type === "none") throw away(EVERY_TABLE, how.why);
    return how.type === "found" ? how.write : undefined;
  }

  #call(call: () => Call, bytes = 0, within: Ms = this.#options.timeout): Promise<Ending> {
    const id = `${this.#ids}-${(this.#calls += 1)}`;
    return new Promise((resolve) => {
      const end = (how: Ending): void => {
        clearTimeout(timer);
        if (this.#outstanding.delete(id)) this.#bytes -= bytes;
        resolve(how);
      };
      const give = (why: string): void =>
        end(one.answer === undefined ? { type: "none", why, unsure: one.unsure || one.said } : { type: "answer", id, answer: one.answer });
      const message = (): FromClient => ({ type: "call", id, ...call() });
      const one: Outstanding = { message, unsure: false, said: false, answer: undefined, end, give };
      const timer = setTimeout(() => give("did not answer in time"), within);
      if (this.#closed) return give(UNUSED);
      if (this.#outstanding.size >= MOST_CALLS) return give("has too many calls of this worker to answer already");
      this.#outstanding.set(id, one);
      this.#bytes += bytes;
      if (this.#up) this.#say(one);
    });
  }

  #say(call: Outstanding): void {
    call.said = true;
    this.#connection?.say(call.message());
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
    for (const call of this.#outstanding.values()) call.give(UNUSED);
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
    for (const call of this.#outstanding.values()) {
      call.unsure ||= call.said;
      call.said = false;
    }
    if (was && performance.now() - this.#upSince > LASTING) this.#failures = 0;
    if (was) this.#events?.link(false);
    if (was) this.ledger.linked(false);
    if (was) this.#options.log?.debug({ path: this.#options.path }, `the connection to the broker ended: ${why}`); // a successor is there at once
    if (this.#failures === 4) this.#options.log?.warn({ path: this.#options.path }, `the broker is away: ${why}`);
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
        return this.#outstanding.get(message.id)?.end(message);
      case "answer":
      case "entered":
      case "left":
      case "spent":
        return this.#answered(message);
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
    for (const call of this.#outstanding.values()) this.#say(call);
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

  /**
   * A broker that takes no writes now, waits for the sheet no longer, or leaves a question to the ledger open is handing over: the call is
   * said again, to its successor or to itself.
   */
  #answered(message: WriteAnswered | LedgerAnswer): void {
    const { id } = message;
    const call = this.#outstanding.get(id);
    if (call === undefined) return;
    const ending = message.type === "answer" ? endOfWrite(message, call) : isAnswered(message) ? message : undefined;
    if (ending !== undefined) return call.end(ending);
    call.said = false;
    setTimeout(() => {
      if (this.#up && !call.said && this.#outstanding.get(id) === call) this.#say(call);
    }, AGAIN);
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
}

/** The tables through the broker's unix socket. Connects when `listen` is called. */
export function brokerTransport(options: BrokerTransportOptions): BrokerLink {
  return new BrokerTransport(options);
}

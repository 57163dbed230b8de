/**
 * Daemons that use one Google account, over the store of DROVER_SESSION_STORE: they share its quota, and of those that serve one spreadsheet
 * one accepts writes (redis/account.lua). Each daemon says every five seconds that it is there and asks what is known of the others.
 */
import { createHash, randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type { Clock } from "../base/clock.ts";
import { count, listOf, record, text, type Fields } from "../base/fields.ts";
import type { SessionStoreReport } from "../base/sessionstore.ts";
import { ms, perMinute, seconds, type Instant, type Ms, type Timestamp } from "../base/units.ts";
import type { Pool } from "./answers.ts";
import type { EnginePort, Reply } from "./ledger/redis/engine.ts";
import { unusable } from "./ledger/redis/problems.ts";
import { Ledger, type KnownCalls, type SharedQuota } from "./quota.ts";
import { isDaemonId, type DaemonId, type Store } from "./store.ts";

export interface AccountOptions {
  readonly engine: EnginePort;
  /** The account's name in keys of the store. */
  readonly account: string;
  /** What this daemon is called for the operators of others. */
  readonly name: string;
  /** The spreadsheet's name in keys of the store. */
  readonly spreadsheet: string;
  /** It has a table that clients may write to. */
  readonly writes: boolean;
  readonly store: Pick<Store, "daemon" | "keepDaemon" | "writeQuota">;
  readonly clock: Clock;
}

interface Daemon extends DaemonId {
  readonly silent: boolean;
  /** How many daemons it knows of. */
  readonly known: number;
}

/** Why a daemon that is not the writer accepts no writes. */
export const elsewhere = ({ name }: DaemonId): string =>
  `another daemon (${name}) accepts the writes to this spreadsheet, and only one may: write there, or stop that one`;

/** What the account and the spreadsheet are called in keys of the store. An emulator is an account of its own, with spreadsheets of its own. */
export function namesOf({ sheetsEndpoint, email = "", spreadsheetId }: Served): Pick<AccountOptions, "account" | "spreadsheet"> {
  const account = createHash("sha256")
    .update(sheetsEndpoint ?? email)
    .digest("hex")
    .slice(0, 16);
  return { account, spreadsheet: sheetsEndpoint === null ? spreadsheetId : `${account}:${spreadsheetId}` };
}

interface Served {
  readonly sheetsEndpoint: string | null;
  /** Of the service account. */
  readonly email: string | undefined;
  readonly spreadsheetId: string;
}

/** Where daemons tell one another what they do, after the prefix. */
export const newsOf = (account: string): string => `google:${account}:news`;

type Step = (name: string, told: object) => Promise<Reply | undefined>;

const JOIN_EVERY = seconds(5);
/** A stop waits no longer for it. */
const PARTS_WITHIN = ms(200);
/** The longest pause before a call that waits for room asks again. */
const ASK_EVERY = ms(250);
const POOLS = ["read", "write"] as const satisfies readonly Pool[];

const isDaemon = (v: unknown): v is Daemon => isDaemonId(v) && typeof Object(v).silent === "boolean" && count(Object(v).known);
const isCall = (v: unknown): v is KnownCalls["calls"][number] => Array.isArray(v) && text(v[0]) && count(v[1]);
const fieldsOf = (v: unknown): Fields => (record(v) ? v : {});

export class SharedAccount {
  readonly #options: AccountOptions;
  readonly #id: string;
  readonly #ledgers = new Map<Pool, Ledger>();
  #others: readonly Daemon[] = [];
  #count: number;
  #writer: DaemonId | undefined;
  #aloneSince: Instant | undefined;
  /** Which engine it is: another one, or one that was emptied, knows nothing. */
  #born: unknown;
  #hasForgotten = false;
  /** Call ids of this process: a pid may be used again. */
  readonly #process = randomUUID().slice(0, 8);
  readonly #began: Timestamp;
  #isClosed = false;
  #calls = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: AccountOptions) {
    this.#options = options;
    const { id, daemons, writer } = options.store.daemon();
    [this.#id, this.#count, this.#writer] = [id, daemons, writer];
    [this.#aloneSince, this.#began] = [options.clock.now(), options.clock.wall()];
  }

  /** Resolves when the store was tried once. @throws DroverError what an operator must fix before a start. */
  async start(): Promise<void> {
    const { engine, clock } = this.#options;
    engine.start({
      connected: (link) => this.#begin(link),
      ready: () => {},
      away: () => void (this.#aloneSince ??= clock.now()),
      heard: (news) => this.#heard(news),
    });
    this.#timer = setInterval(() => void this.join(), JOIN_EVERY).unref();
    const problem = await engine.tried();
    if (problem !== undefined) throw unusable(problem);
  }

  /** The others need not count with this one any more. It may have a successor meanwhile: then nothing changes. */
  async close(): Promise<void> {
    const { engine, store } = this.#options;
    clearInterval(this.#timer);
    this.#isClosed = true;
    const parted = await Promise.race([engine.step("part", this.#self), sleep(PARTS_WITHIN, undefined, { ref: false })]);
    if (parted?.result === true && this.#count > 1) store.keepDaemon({ daemons: this.#count, writer: undefined }); // another one may be by the next start
    engine.close();
  }

  pool(pool: Pool): SharedQuota {
    return {
      daemons: () => this.#count,
      aloneSince: () => this.#aloneSince,
      isKnown: () => this.#born !== undefined,
      attach: (ledger) => void this.#ledgers.set(pool, ledger),
      newId: () => this.#newId(),
      ask: (most) => this.#ask(pool, most),
      lock: (span) => void this.#options.engine.step("lock", { ...this.#self, pool, span }),
      pause: async (span, signal) => {
        const wait = span > 0 ? Math.ceil(Math.min(ASK_EVERY, span)) : ASK_EVERY;
        await sleep(wait, undefined, { ref: false, ...(signal === undefined ? {} : { signal }) }).catch(() => {}); // the caller looks at the signal
      },
    };
  }

  /** Why this daemon accepts no writes; undefined: it may. */
  get notWriter(): string | undefined {
    if (this.#writer?.id === this.#id) return undefined;
    if (this.#writer !== undefined) return elsewhere(this.#writer);
    return "the session store was not reached yet: it is not known whether another daemon writes to this spreadsheet";
  }

  report(): Partial<SessionStoreReport> {
    const { notWriter } = this;
    const silent = this.#others.filter((other) => other.silent).length;
    const { problem } = this.#options.engine.report;
    return {
      daemons: this.#count,
      silent,
      ...(problem === undefined ? {} : { problem }),
      ...(this.#options.writes && notWriter !== undefined ? { notWriter } : {}),
    };
  }

  /** Says that this daemon is there. Called by a timer, and by tests. */
  async join(): Promise<void> {
    const { engine } = this.#options;
    if (engine.isReady && !this.#isClosed) await this.#join((name, told) => engine.step(name, told));
  }

  get #self(): { readonly account: string; readonly id: string; readonly name: string; readonly sheet: string; readonly began: number } {
    const { account, name, spreadsheet: sheet } = this.#options;
    return { account, id: this.#id, name, sheet, began: this.#began };
  }

  async #begin(engine: EnginePort): Promise<void> {
    const born = await engine.begin();
    this.#hasForgotten = this.#born !== undefined && born !== this.#born;
    await this.#join((name, told) => engine.early(name, told));
    this.#born = born;
  }

  async #join(step: Step): Promise<void> {
    const { clock, writes } = this.#options;
    const known = POOLS.map((pool) => [pool, this.#known(pool)] as const);
    const calls = Object.fromEntries(known.map(([pool, of]) => [pool, of.calls]));
    const restored = Object.fromEntries(known.map(([pool, of]) => [pool, of.restored]));
    // Only then: each repeated report of a lock-out would extend it by the time that the message takes.
    const locked = this.#hasForgotten ? Object.fromEntries(known.map(([pool, of]) => [pool, of.locked])) : {};
    const [others, writer] = this.#hasForgotten ? [this.#others, this.#writer] : [[], undefined];
    const reply = await step("join", { ...this.#self, writes, calls, restored, locked, others, writer });
    if (reply === undefined) return void (this.#aloneSince ??= clock.now());
    [this.#hasForgotten, this.#aloneSince] = [false, undefined];
    const found = fieldsOf(reply.result);
    for (const [pool, ledger] of this.#ledgers) {
      ledger.merge(listOf(fieldsOf(found["calls"])[pool]).filter(isCall));
      ledger.lockFor(ms(Number(fieldsOf(found["locked"])[pool] ?? 0)));
    }
    this.#writer = isDaemonId(found["writer"]) ? found["writer"] : undefined;
    this.#met(found["daemons"]);
  }

  /** While no journal is open here the calls that were counted before are those of the last one. */
  #known(pool: Pool): KnownCalls {
    const { store, clock } = this.#options;
    return (this.#ledgers.get(pool) ?? new Ledger(perMinute(60), clock, store.writeQuota())).known();
  }

  async #ask(pool: Pool, most: number): Promise<string | Ms | undefined> {
    const { engine, clock } = this.#options;
    if (this.#aloneSince !== undefined || this.#isClosed) return undefined;
    const call = this.#newId();
    const reply = await engine.step("call", { ...this.#self, pool, call, limit: most });
    if (reply?.result === 0) return call;
    if (reply !== undefined) return ms(Number(reply.result));
    this.#aloneSince ??= clock.now();
    return undefined;
  }

  #heard(news: Fields): void {
    const ledger = this.#ledgers.get(news["pool"] as Pool);
    if (text(news["call"], 200)) ledger?.heard(news["call"]);
    if (count(news["locked"])) ledger?.lockFor(ms(news["locked"]));
    if (news["daemons"] !== undefined) this.#met(news["daemons"]);
  }

  #met(daemons: unknown): void {
    this.#others = listOf(daemons)
      .filter(isDaemon)
      .filter(({ id }) => id !== this.#id);
    this.#count = this.#others.length + 1;
    if (!this.#isClosed) this.#options.store.keepDaemon({ daemons: this.#count, writer: this.#writer });
  }

  #newId(): string {
    this.#calls += 1;
    return `${this.#process}:${this.#calls}`;
  }
}

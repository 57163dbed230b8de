/**
 * The connection to a Redis or Valkey that keeps sessions and counters.
 *
 *   away ─ connected, checked, sent this broker's own records ─→ ready ─ lost, silent, emptied ─→ away: retried after at most half a second
 *
 * Each step is one atomic script (step.lua and the files after it). A step without an answer in time may have been done.
 */
import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { messageOf } from "../../../base/errors.ts";
import type { SessionStoreReport } from "../../../base/sessionstore.ts";
import { count, objectOf, record, text, type Fields } from "../../../base/fields.ts";
import { ms, type Ms } from "../../../base/units.ts";
import { why } from "../../../sheets/ledger-wire.ts";
import type { EndedWhy } from "../slots.ts";
import { connect, placeOf, type Link } from "./link.ts";
import { isLasting, isScriptError, problemOf } from "./problems.ts";

/** A session that a step has ended, or that was not active. */
export interface Out {
  readonly id: string;
  readonly why: EndedWhy;
  /** It held a slot. */
  readonly freed?: boolean;
  /** Set when the session is ended permanently, not only expired. */
  readonly user?: string;
  readonly since?: number;
}

/** What a step, here or of another broker, has changed. */
export interface Change {
  readonly out: readonly Out[];
  /** Sessions that hold a slot. */
  readonly used: number;
  /** Grows with each change; starts again when the engine was emptied. */
  readonly seq: number;
}

/** What came of a step. */
export interface Reply extends Change {
  readonly result: unknown;
  /** By the engine's clock, ms. */
  readonly now: number;
}

export interface EngineOptions {
  /** `redis://`, `rediss://` or `unix:`. */
  readonly url: string;
  /** Of all keys. */
  readonly prefix: string;
  /** Where others tell what they change, after the prefix. */
  readonly channel?: string;
  readonly log: { info(text: string): void; error(text: string): void };
  /** What it is called in the log, and what is done while it is away. */
  readonly what?: string;
  readonly meanwhile?: string;
  readonly answersWithin?: Ms;
  /** For tests: the engine's clock. */
  readonly now?: () => number;
}

export interface EngineEvents {
  /** Connected: this broker sends its own records. The engine is ready when this resolves. */
  connected(engine: EnginePort): Promise<void>;
  ready(): void;
  away(): void;
  /** Another broker has changed something. */
  heard(news: Fields): void;
}

/** What those use an engine for that keep something on it. */
export type EnginePort = Pick<Engine, "start" | "tried" | "isReady" | "report" | "begin" | "early" | "step" | "close">;

const PAUSES = [50, 100, 250, 500];

const isOut = (v: unknown): v is Out =>
  record(v) &&
  text(v["id"], 1_000) &&
  why(v["why"]) &&
  ((v["user"] === undefined && v["since"] === undefined) || (text(v["user"], 1_000) && count(v["since"])));

export const changeOf = ({ out, used, seq }: Fields): Change => ({
  out: Array.isArray(out) ? out.filter(isOut) : [],
  used: Number(used),
  seq: Number(seq),
});

export class Engine {
  readonly #options: EngineOptions;
  /** Distinguishes this broker's changes from those of others. */
  readonly #self = randomUUID();
  #events: EngineEvents | undefined;
  #link: Link | undefined;
  #ready = false;
  #problem: string | undefined = "it was not reached yet";
  /** The problem that was logged. */
  #said: string | undefined;
  #latency: Ms | undefined;
  #errors = 0;
  /** Each step says which engine it is for: another broker may have begun one that has forgotten everything. */
  #born: unknown;
  #stopping = new AbortController();
  readonly #place: string;
  readonly #what: string;
  readonly #tried = Promise.withResolvers<void>();

  constructor(options: EngineOptions) {
    this.#options = options;
    this.#place = placeOf(options.url);
    this.#what = options.what ?? "the session store";
  }

  get report(): SessionStoreReport {
    const problem = this.#ready ? {} : { problem: this.#problem ?? "it was lost" };
    const latency = this.#latency === undefined ? {} : { latency: this.#latency };
    return { place: this.#place, ...problem, ...latency, errors: this.#errors };
  }

  get isReady(): boolean {
    return this.#ready;
  }

  /** Resolves after the first attempt. @returns the problem, if only an operator can fix it. */
  async tried(): Promise<string | undefined> {
    await this.#tried.promise;
    return this.#ready || !isLasting(this.#problem ?? "") ? undefined : this.#problem;
  }

  start(events: EngineEvents): void {
    this.#events = events;
    this.#stopping = new AbortController();
    void this.#run(this.#stopping.signal);
  }

  close(): void {
    this.#events = undefined;
    this.#stopping.abort();
    this.#link?.lose(new Error("closed"));
    [this.#link, this.#ready, this.#problem] = [undefined, false, "it was closed"];
    this.#tried.resolve();
  }

  /** @returns undefined: the engine is away, or has not answered in time. Never throws. */
  async step(name: string, told: object): Promise<Reply | undefined> {
    return this.#ready ? await this.#try(name, told) : undefined;
  }

  /** As `step`, but before the engine is ready. @throws when the step failed. */
  async early(name: string, told: object): Promise<Reply> {
    const reply = await this.#try(name, told);
    if (reply === undefined) throw new Error(this.#problem ?? "the connection was lost");
    return reply;
  }

  /** The first step on a connection. @returns what another engine, or this one once it has forgotten everything, does not have. */
  async begin(): Promise<unknown> {
    this.#born = undefined;
    return (this.#born = (await this.early("begin", { id: randomUUID() })).result);
  }

  async #run(stopping: AbortSignal): Promise<void> {
    for (let failures = 0; ; failures += 1) {
      let link: Link | undefined;
      try {
        // oxlint-disable-next-line no-await-in-loop -- one connection after the other
        link = await connect(this.#options, (message) => this.#heard(message));
        stopping.throwIfAborted();
        this.#link = link;
        // oxlint-disable-next-line no-await-in-loop
        await this.#events?.connected(this);
        stopping.throwIfAborted();
        this.#options.log.info(`${this.#what} is ready`);
        [this.#ready, this.#problem, this.#said, failures] = [true, undefined, undefined, 0];
        this.#events?.ready();
        this.#tried.resolve();
        // oxlint-disable-next-line no-await-in-loop
        await link.lost;
      } catch (e) {
        if (!stopping.aborted) this.#lost(e);
      }
      link?.drop();
      if (stopping.aborted) return; // a later start has its own connection
      this.#link = undefined;
      // oxlint-disable-next-line no-await-in-loop
      await sleep(PAUSES[Math.min(failures, PAUSES.length - 1)], undefined, { signal: stopping, ref: false }).catch(() => {});
      if (stopping.aborted) return;
    }
  }

  #lost(e: unknown): void {
    const wasReady = this.#ready;
    [this.#ready, this.#problem] = [false, problemOf(e)];
    if (this.#problem !== this.#said)
      this.#options.log.error(
        `${this.#what} is away: ${this.#problem}; ${this.#options.meanwhile ?? "active sessions stay valid, logins wait"}`,
      );
    this.#said = this.#problem;
    if (wasReady) this.#events?.away();
    this.#tried.resolve();
  }

  #heard(message: string): void {
    const news = objectOf(message);
    if (news !== undefined && news["from"] !== this.#self) this.#events?.heard(news);
  }

  async #try(name: string, told: object): Promise<Reply | undefined> {
    const link = this.#link;
    if (link === undefined) return undefined;
    const { prefix, now } = this.#options;
    const said = JSON.stringify({ ...told, from: this.#self, born: this.#born, ...(now === undefined ? {} : { now: now() }) }, wellFormed);
    const from = performance.now();
    try {
      const reply = JSON.parse(await link.run({ keys: [prefix], arguments: [name, said] })) as Fields;
      this.#latency = ms(performance.now() - from);
      if (reply["forgot"] === true) throw new Error("it has forgotten everything");
      return { ...changeOf(reply), result: reply["result"], now: Number(reply["now"]) };
    } catch (e) {
      this.#errors += 1;
      if (isScriptError(e)) {
        this.#options.log.error(`the session store could not do a step (${name}): ${messageOf(e)}`);
        return undefined; // the connection is sound
      }
      this.#problem = problemOf(e);
      link.lose(e instanceof Error ? e : new Error(messageOf(e)));
      return undefined;
    }
  }
}

/** A lone surrogate, which a client may send in a name, makes the engine's JSON decoder fail. */
const wellFormed = (_name: string, value: unknown): unknown => (typeof value === "string" ? value.toWellFormed() : value);

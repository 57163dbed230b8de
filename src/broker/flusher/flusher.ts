/** The flusher's shell: does what the core says, one thing after another, and tells it what came of it. */
import type { HistogramDelta } from "../../base/histogram.ts";
import { messageOf } from "../../base/errors.ts";
import { impossible } from "../../base/never.ts";
import { elapsed, ms, seconds, type Instant } from "../../base/units.ts";
import type { WritesReport } from "../../sheets/writes.ts";
import type { Entry } from "../journal/journal.ts";
import { GIVEN_UP } from "../upstream.ts";
import { accept, begin, forgive, step } from "./core/decide.ts";
import type { Event, Op, State, World } from "./core/model.ts";
import { Pace } from "./core/pace.ts";
import { Layouts } from "./layouts.ts";
import { mayShow, type TableReading } from "./core/trust.ts";
import { FlusherLog } from "./log.ts";
import type { Counted, Flusher, FlusherOptions, Right, WriteOutcome } from "./port.ts";
import { WriteRight } from "./right.ts";

/** A request that is under way is waited for so long by `close`. */
const CLOSE_WITHIN = seconds(1);

class SheetFlusher implements Flusher {
  readonly #options: FlusherOptions;
  readonly #state: State;
  readonly #pace: Pace;
  readonly #ended: Promise<void>;
  #wake: (() => void) | undefined;
  readonly #closing = new AbortController();
  /** Of the last batch, in Google's words. */
  #refusal: string | undefined;
  readonly #log: FlusherLog;
  readonly #right: WriteRight;
  readonly #layouts: Layouts;

  constructor(options: FlusherOptions) {
    this.#options = options;
    this.#state = begin(options.journal.recovered, options.proof.read(), { now: options.clock.now(), wall: options.clock.wall() });
    this.#log = new FlusherLog(options);
    this.#right = new WriteRight(options);
    this.#layouts = new Layouts(options.layout);
    this.#pace = new Pace(options.writes.ledger.limit);
    this.#ended = this.#run();
  }

  accepted(entries: readonly Entry[]): void {
    accept(this.#state, entries, this.#options.clock.now());
    this.#wake?.();
  }

  retried(entries: readonly Entry[]): void {
    forgive(this.#state, entries);
    this.accepted(entries);
  }

  get right(): Right {
    return this.#right.is;
  }

  proveRight(table: string): Promise<void> {
    return this.#right.prove(() => {
      if (this.right.is === "no") this.#state.notBefore = this.#options.clock.now();
      this.#state.wanted.add(table);
      this.#wake?.();
    });
  }

  mayShow(reading: TableReading): boolean {
    if (this.#state.lostTabs.delete(reading.layout.tab)) this.#wake?.();
    if (mayShow(reading, this.#state)) return true;
    this.#layouts.withhold(reading.layout);
    this.#wake?.();
    return false;
  }

  get delivery(): WritesReport["delivery"] {
    return this.#state.delivery;
  }

  report(): WritesReport {
    const { queue, stats, delivery } = this.#state;
    const { right } = this;
    const oldest = queue.oldest();
    return {
      delivery,
      waiting: queue.size,
      waitingBytes: queue.bytes,
      oldest: oldest === undefined ? ms(0) : ms(Math.max(0, elapsed(oldest.at, this.#options.clock.wall()))),
      landed: stats.landed,
      parked: stats.parked,
      setAside: this.#options.journal.setAside,
      ...(right.is === "no" ? { denied: right.message } : {}),
      astray: stats.astray + stats.misplaced,
      quota: this.#options.writes.ledger.report(),
      timeToSheet: { p50: stats.quantile(0.5), p99: stats.quantile(0.99) },
    };
  }

  takeTimes(): HistogramDelta {
    return this.#state.stats.times.takeDelta();
  }

  async close(): Promise<void> {
    this.#closing.abort();
    this.#right.close();
    this.#wake?.();
    const { alarm, clock } = this.#options;
    let cancel: (() => void) | undefined;
    const late = new Promise<void>((resolve) => (cancel = alarm((clock.now() + CLOSE_WITHIN) as Instant, resolve)));
    await Promise.race([this.#ended, late]);
    cancel?.();
  }

  async #run(): Promise<void> {
    await Promise.resolve(); // not before the one who made it has it
    let event: Event = { type: "woke" };
    while (!this.#closing.signal.aborted) {
      const before = this.#state.delivery;
      const op = step(this.#state, event, this.#world());
      this.#log.tell(this.#state, before);
      event = await this.#perform(op);
    }
  }

  #world(): World {
    const { clock, random, writes, reads, rowOf } = this.#options;
    // Before `now`: what is allowed "now" must not lie in the future of it.
    const mayUndo = writes.ledger.next();
    const mayWrite = Math.max(mayUndo, this.#pace.next(clock.now())) as Instant;
    const mayRead = reads.ledger.next();
    return { mayWrite, mayUndo, mayRead, now: clock.now(), wall: clock.wall(), random: random(), layout: this.#layouts.of, rowOf };
  }

  async #perform(op: Op): Promise<Event> {
    const { upstream, reads, clock, events } = this.#options;
    switch (op.do) {
      case "sleep":
        await this.#sleep(op.until);
        return { type: "woke" };
      case "search":
        return { type: "searched", outcome: await this.#call(reads, () => upstream.search("drover")) };
      case "tabs":
        return { type: "named", outcome: await this.#call(reads, () => upstream.sheetIds()) };
      case "look":
        return { type: "looked", outcome: await this.#look(op.id) };
      case "locate":
        return { type: "located", outcome: await this.#call(reads, () => upstream.read([op.range])) };
      case "headers":
        return { type: "headed", outcome: await this.#call(reads, () => upstream.read(op.ranges)) };
      case "seal":
        return this.#keep((journal) => journal.seal(op.batch, op.nextId));
      case "mark": {
        const at = clock.wall();
        const kept = await this.#keep((journal) => journal.sent(op.nr, at));
        if (kept.type === "kept") events.sent(op.lsns, at);
        return kept;
      }
      case "send":
        return { type: "answered", outcome: await this.#send(op) };
      case "write":
        if (op.lsns.length > 0) events.sent(op.lsns, clock.wall());
        return { type: "answered", outcome: await this.#write(op.body) };
      case "settle":
        return this.#settle(op);
      default:
        return impossible(op);
    }
  }

  /** A refusal is what a fence that stands is there for: it is said only when no fence is found. */
  async #send({ body, fields }: Extract<Op, { do: "send" }>): Promise<WriteOutcome<unknown>> {
    const { upstream, writes } = this.#options;
    const outcome = await this.#call(writes, () => upstream.batchUpdate(body, fields));
    this.#refusal = outcome.is === "refused" ? outcome.message : undefined;
    return outcome;
  }

  async #write(body: Uint8Array): Promise<WriteOutcome<unknown>> {
    const { upstream, writes } = this.#options;
    const outcome = await this.#call(writes, () => upstream.updateByFilter(body));
    if (outcome.is === "refused") this.#log.say(outcome);
    return outcome;
  }

  async #look(id: number): Promise<WriteOutcome<string | undefined>> {
    const outcome = await this.#call(this.#options.reads, () => this.#options.upstream.metadata(id));
    if (outcome.is === "ok" && outcome.value === undefined && this.#refusal !== undefined)
      this.#log.say({ is: "refused", message: this.#refusal });
    return outcome;
  }

  async #settle({ nr, how, gone }: Extract<Op, { do: "settle" }>): Promise<Event> {
    if (how.landed.length > 0) await this.#options.events.landing(how.landed);
    const kept = await this.#keep((journal) => journal.settle(nr, how));
    if (kept.type === "failed") return kept;
    if (gone.length > 0) await this.#keep((journal) => journal.dropFences(gone)); // in vain: the next life finds that they are gone
    for (const { lsn, reason } of how.parked)
      this.#options.log.error({ lsn }, `a write is set aside, because Google refuses it: ${reason}`);
    this.#options.events.settled(how);
    return kept;
  }

  /**
   * Counts a call before it is made: one that never comes back has been counted by Google too. A 429 shuts the ledger. What a 400 means is
   * the caller's to say.
   */
  async #call<T extends WriteOutcome<unknown>>({ ledger, keep }: Counted, make: () => Promise<T>): Promise<T | typeof GIVEN_UP> {
    const { writes, clock } = this.#options;
    if (!(await ledger.take("other", this.#closing.signal))) return GIVEN_UP;
    if (ledger === writes.ledger) this.#pace.spend(clock.now());
    keep(ledger.state());
    const outcome = await make();
    this.#right.learn(outcome, ledger === writes.ledger);
    if (outcome.is === "locked") {
      ledger.lock(outcome.until);
      keep(ledger.state());
    }
    if (outcome.is !== "refused") this.#log.say(outcome);
    return outcome;
  }

  async #keep(change: (journal: FlusherOptions["journal"]) => Promise<void>): Promise<Event> {
    try {
      await change(this.#options.journal);
      return { type: "kept" };
    } catch (e) {
      this.#log.say({ is: "unavailable", message: `the journal: ${messageOf(e)}` });
      return { type: "failed" };
    }
  }

  async #sleep(until: Instant | undefined): Promise<void> {
    let cancel: (() => void) | undefined;
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
      if (until !== undefined) cancel = this.#options.alarm(until, resolve);
      if (this.#closing.signal.aborted) resolve();
    });
    this.#wake = undefined;
    cancel?.();
  }
}

/** Begins with what the journal's last life left. */
export function startFlusher(options: FlusherOptions): Flusher {
  return new SheetFlusher(options);
}

/** The flusher's shell: does what the core says, one thing after another, and tells it what came of it. */
import type { HistogramDelta } from "../../base/histogram.ts";
import { messageOf } from "../../base/errors.ts";
import { impossible } from "../../base/never.ts";
import { elapsed, ms, seconds, type Instant } from "../../base/units.ts";
import type { Layout } from "../../sheets/layout.ts";
import type { WritesReport } from "../../sheets/writes.ts";
import type { Entry } from "../journal/journal.ts";
import { accept, begin, forgive, step } from "./core/decide.ts";
import type { Event, Op, State, World } from "./core/model.ts";
import { Pace } from "./core/pace.ts";
import { mayShow, type TableReading } from "./core/trust.ts";
import type { Counted, Flusher, FlusherOptions, Right, WriteOutcome } from "./port.ts";

/** A write waits so long for the proof that the account may write. */
const PROVE_WITHIN = seconds(5);
/** A 403 is believed for so long, and that Google does not answer. */
const DENIED_FOR = seconds(3);
const SILENT_FOR = seconds(30);
/** A request that is under way is waited for so long by `close`. */
const CLOSE_WITHIN = seconds(1);

type Call = Pick<Extract<Event, { outcome: unknown }>["outcome"], "is"> & { readonly message?: string; readonly until?: unknown };

class SheetFlusher implements Flusher {
  readonly #options: FlusherOptions;
  readonly #state: State;
  readonly #pace: Pace;
  readonly #ended: Promise<void>;
  #wake: (() => void) | undefined;
  #closed = false;
  #said = "";
  /** Of the last batch, in Google's words. */
  #refusal: string | undefined;
  #right: Right;
  #triedAt = Number.NEGATIVE_INFINITY;
  /** Called once Google has answered a write. */
  readonly #proving = new Set<() => void>();
  #astray = 0;
  #misplaced = 0;
  readonly #unshown = new Map<string, { readonly layout: Layout; readonly after: Layout | undefined }>();

  constructor(options: FlusherOptions) {
    this.#options = options;
    const proof = options.proof.read();
    this.#state = begin(options.journal.recovered, proof, options.clock.now());
    this.#right = { is: proof === undefined && options.journal.recovered.landed === 0 ? "unknown" : "yes" };
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
    return this.#right;
  }

  async proveRight(table: string): Promise<void> {
    const { alarm, clock } = this.#options;
    const now = clock.now();
    const believed = this.#right.is === "no" ? DENIED_FOR : SILENT_FOR;
    if (this.#right.is === "yes" || now - this.#triedAt < believed || this.#closed) return;
    if (this.#right.is === "no") this.#state.notBefore = now;
    this.#state.wanted.add(table);
    this.#wake?.();
    const proven = Promise.withResolvers<void>();
    this.#proving.add(proven.resolve);
    const cancel = alarm((now + PROVE_WITHIN) as Instant, proven.resolve);
    await proven.promise;
    cancel();
    this.#triedAt = clock.now();
    this.#proving.delete(proven.resolve);
  }

  /** What a call tells of the right to write. No answer tells nothing: then writes wait in the journal, as they do later. */
  #learn({ is, message = "" }: Call, isWrite: boolean): void {
    if (is === "ok" && !isWrite) return;
    if (is === "ok") this.#right = { is: "yes" };
    else if (is === "denied" && (isWrite || this.#right.is === "unknown")) this.#right = { is: "no", message };
    this.#triedAt = this.#options.clock.now();
    for (const proven of this.#proving) proven();
  }

  mayShow(reading: TableReading): boolean {
    if (mayShow(reading, this.#state)) return true;
    const { layout } = reading;
    this.#unshown.set(layout.table, { layout, after: this.#options.layout(layout.table) });
    this.#wake?.();
    return false;
  }

  /** The broker's, or that of a reading since then which may not be shown. */
  readonly #layout = (table: string): Layout | undefined => {
    const known = this.#options.layout(table);
    const unshown = this.#unshown.get(table);
    return unshown?.after === known ? (unshown?.layout ?? known) : known;
  };

  get delivery(): WritesReport["delivery"] {
    return this.#state.delivery;
  }

  report(): WritesReport {
    const { queue, stats, delivery } = this.#state;
    const oldest = queue.oldest();
    return {
      delivery,
      waiting: queue.size,
      waitingBytes: queue.bytes,
      oldest: oldest === undefined ? ms(0) : ms(Math.max(0, elapsed(oldest.at, this.#options.clock.wall()))),
      landed: stats.landed,
      parked: stats.parked,
      setAside: this.#options.journal.setAside,
      ...(this.#right.is === "no" ? { denied: this.#right.message } : {}),
      astray: stats.astray + stats.misplaced,
      quota: this.#options.writes.ledger.report(),
      timeToSheet: { p50: stats.quantile(0.5), p99: stats.quantile(0.99) },
    };
  }

  takeTimes(): HistogramDelta {
    return this.#state.stats.times.takeDelta();
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const proven of this.#proving) proven();
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
    while (!this.#closed) {
      const before = this.#state.delivery;
      const op = step(this.#state, event, this.#world());
      this.#tell(before);
      event = await this.#perform(op);
    }
  }

  #world(): World {
    const { clock, random, writes, reads, rowOf } = this.#options;
    // Before `now`: what is allowed "now" must not lie in the future of it.
    const mayUndo = writes.ledger.next();
    const mayWrite = Math.max(mayUndo, this.#pace.next(clock.now())) as Instant;
    const mayRead = reads.ledger.next();
    return { mayWrite, mayUndo, mayRead, now: clock.now(), wall: clock.wall(), random: random(), layout: this.#layout, rowOf };
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
    if (outcome.is === "refused") this.#say(outcome);
    return outcome;
  }

  async #look(id: number): Promise<WriteOutcome<string | undefined>> {
    const outcome = await this.#call(this.#options.reads, () => this.#options.upstream.metadata(id));
    if (outcome.is === "ok" && outcome.value === undefined && this.#refusal !== undefined)
      this.#say({ is: "refused", message: this.#refusal });
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
  async #call<T extends Call>({ ledger, keep }: Counted, make: () => Promise<T>): Promise<T> {
    const { writes, clock } = this.#options;
    ledger.spend();
    if (ledger === writes.ledger) this.#pace.spend(clock.now());
    keep(ledger.state());
    const outcome = await make();
    this.#learn(outcome, ledger === writes.ledger);
    if (outcome.is === "locked") {
      ledger.lock(outcome.until as Parameters<typeof ledger.lock>[0]);
      keep(ledger.state());
    }
    if (outcome.is !== "refused") this.#say(outcome);
    return outcome;
  }

  async #keep(change: (journal: FlusherOptions["journal"]) => Promise<void>): Promise<Event> {
    try {
      await change(this.#options.journal);
      return { type: "kept" };
    } catch (e) {
      this.#say({ is: "unavailable", message: `the journal: ${messageOf(e)}` });
      return { type: "failed" };
    }
  }

  async #sleep(until: Instant | undefined): Promise<void> {
    let cancel: (() => void) | undefined;
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
      if (until !== undefined) cancel = this.#options.alarm(until, resolve);
      if (this.#closed) resolve();
    });
    this.#wake = undefined;
    cancel?.();
  }

  /** Says a failure once, until another comes or all is well again. */
  #say({ is, message = "" }: Call): void {
    const said = is === "ok" ? "" : message;
    if (said === this.#said) return;
    this.#said = said;
    if (said === "") this.#options.log.info("writes go to Google again");
    else this.#options.log.warn({ upstream: is }, `a write waits: ${said}`);
  }

  #tell(before: State["delivery"]): void {
    const { delivery, stats } = this.#state;
    const { log, proof } = this.#options;
    if (delivery !== before && delivery !== "unproven") {
      proof.keep(delivery);
      if (delivery === "at-least-once")
        log.error("this spreadsheet did not refuse a second write with the same fence: a write whose answer is lost may come twice");
    }
    if (stats.astray > this.#astray)
      log.error(`${stats.astray - this.#astray} rows were written whose key had been changed by hand in the same moment`);
    this.#astray = stats.astray;
    if (stats.misplaced > this.#misplaced)
      log.error(
        `${stats.misplaced - this.#misplaced} writes landed while the header row was changed by hand: their values stand where the columns were`,
      );
    this.#misplaced = stats.misplaced;
    for (const table of this.#state.moved) {
      log.warn({ table }, "the table is not where it was read last: its writes wait until it has been read again");
      this.#options.events.moved(table);
    }
    this.#state.moved.clear();
  }
}

/** Begins with what the journal's last life left. */
export function startFlusher(options: FlusherOptions): Flusher {
  return new SheetFlusher(options);
}

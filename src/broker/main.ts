/** The broker's process: the one that talks to Google. Ready as soon as it can answer workers, whatever Google does. */
import { join } from "node:path";
import { startBeat } from "../base/beat.ts";
import { systemClock } from "../base/clock.ts";
import { DroverError } from "../base/errors.ts";
import { EXIT } from "../base/exit.ts";
import type { Logger } from "../base/log.ts";
import type { MasterPort } from "../base/port.ts";
import { knownError } from "../base/storage.ts";
import { noCounters, type Counters } from "../base/counters.ts";
import type { ToChild } from "../base/protocol.ts";
import { ms, seconds } from "../base/units.ts";
import { openBroker, type Google, type Opened } from "./assemble.ts";
import type { Broker } from "./broker.ts";
import type { BrokerConfig } from "./config.ts";
import { Custody } from "./custody.ts";
import type { LastAccepted } from "./journal/journal.ts";
import { answerOperator } from "./ledger/operator.ts";
import { serveBroker, type RpcServer } from "./rpc.ts";
import { askForJournal, isServed } from "./succession.ts";
import type { WriteMeans } from "./writing.ts";

/** What opening a journal needs. */
export interface WritesNeed {
  readonly config: BrokerConfig;
  readonly upstream: Google;
  readonly log: Logger;
  readonly lastAccepted: LastAccepted | undefined;
  /** The journal can't go on in this process. */
  readonly fatal: (why: string) => void;
}

export interface BrokerDeps {
  readonly log: Logger;
  /** Opens the log file again. */
  readonly reopen: () => void;
  /** Opens the journal, and what sends from it. Without it nothing can be written. */
  readonly openWrites?: (need: WritesNeed) => Promise<WriteMeans>;
  /** Ends the process. */
  readonly exit?: (code: number) => void;
}

/** The longest that stopping may take: what is not on disk by then is asked of Google again. */
const CLOSE_WITHIN = seconds(1);
const JOURNAL_COPY = "journal.copy";
/** A removed socket is back before a process that was just started has loaded. */
const SOCKET_LOOKED_AT = ms(250);
/** A reload's broker waits for so long for its predecessor's socket, if the file is missing. */
const SOCKET_BACK_WITHIN = seconds(1);

interface Running extends Opened {
  readonly custody: Custody;
  readonly rpc: RpcServer;
  stopBeat: () => void;
  /** Ends the connection to the broker that was here before. */
  letGo: () => void;
}

function counters({ calls, errors }: Broker["counters"], slotsExpired: number): Counters {
  return { ...noCounters(), upstreamCalls: calls, upstreamErrors: errors, slotsExpired };
}

function purge(broker: Broker, table: string | null): { readonly ok: boolean; readonly text: string } {
  const asked = broker.refresh(table ?? undefined);
  if (asked === undefined) return { ok: false, text: `there is no table ${JSON.stringify(table)}` };
  return {
    ok: true,
    text: `${asked.length === 0 ? "no table" : asked.join(", ")} will be asked of Google anew, within the quota; what there is is served meanwhile`,
  };
}

/** Runs until the master says `drain` or is gone. @returns when the listeners stand; the process goes on. */
export function runBroker(port: MasterPort, deps: BrokerDeps): Promise<void> {
  new BrokerProcess(port, deps).listen();
  return Promise.resolve();
}

type Configure = Extract<ToChild, { type: "configure" }>;

class BrokerProcess {
  readonly #port: MasterPort;
  readonly #deps: BrokerDeps;
  #running: Running | undefined;
  #leaving = false;

  constructor(port: MasterPort, deps: BrokerDeps) {
    this.#port = port;
    this.#deps = deps;
  }

  listen(): void {
    this.#port.onMessage((message) => {
      if (message.type === "configure" && this.#running === undefined) this.#configure(message);
      else if (message.type === "drain") void this.#leave();
      else if (message.type === "reopen") this.#deps.reopen();
      else if (message.type === "ask") this.#told(message);
    });
    this.#port.onLost(() => void this.#leave());
  }

  #configure(message: Configure): void {
    const { log } = this.#deps;
    const config = message.config as BrokerConfig;
    try {
      const { broker, ledger, upstream, calls } = openBroker(config, log);
      const estate = { yield: () => this.#yield(), takeBack: () => void this.#takeBack(), copy: () => this.#copy(config) };
      const rpc = serveBroker(broker, config.socket, log, estate);
      const custody = this.#custody(broker, upstream, config);
      const running: Running = { custody, broker, ledger, rpc, upstream, calls, stopBeat: () => {}, letGo: () => {} };
      this.#running = running;
      this.#claim(running, message)
        .then(() => this.#serve(running, message))
        .catch((e: unknown) => this.#fail(e));
    } catch (e) {
      this.#fail(e);
    }
  }

  /**
   * Without the journal a broker is not ready: rows without what waits in it would be older than what clients have seen. Nor without
   * the ledger: it would let in people whom there is no room for.
   */
  async #claim(running: Running, { generation, config: configured }: Configure): Promise<void> {
    const { log } = this.#deps;
    const config = configured as BrokerConfig;
    await running.broker.account?.start(); // before the first call to Google
    if (generation > 1 && (await isServed(config.socket))) {
      const why = await running.broker.unreadable();
      if (why !== undefined) throw new DroverError("DROVER_E_TABLES", why);
    }
    running.letGo = await askForJournal(config.socket, log, generation > 1 ? SOCKET_BACK_WITHIN : ms(0));
    if (this.#leaving) return;
    running.ledger.start();
    await running.ledger.store.ready();
    await running.custody.open();
  }

  #custody(broker: Broker, upstream: Google, config: BrokerConfig): Custody {
    const { log, openWrites } = this.#deps;
    const fatal = (why: string): void => this.#fail(new DroverError("DROVER_E_BROKER", why));
    const open = async (): Promise<WriteMeans | undefined> =>
      await openWrites?.({ config, upstream, log, fatal, lastAccepted: broker.lastAccepted });
    return new Custody({ broker, dataDir: config.dataDir, spreadsheet: config.spreadsheetId, log, open });
  }

  #serve(running: Running, message: Configure): void {
    if (this.#leaving) return;
    const { broker, custody, ledger, rpc, calls } = running;
    const { socket } = message.config as BrokerConfig;
    broker.start();
    broker.expectReaders();
    rpc.takeOver();
    const look = setInterval(() => custody.isYielding || rpc.check(), SOCKET_LOOKED_AT);
    const beats = startBeat(this.#port, message.beatEvery, {
      inFlight: () => 0,
      connections: () => rpc.connections(),
      full: () => false,
      counters: () => counters(broker.counters, ledger.store.expired),
      latency: () => [],
      upstream: () => broker.report(),
      slots: () => ledger.store.state,
      sessionStore: () => ledger.store.report && { ...broker.account?.report(), ...ledger.store.report },
      tokensUsed: () => ledger.store.tokensUsed,
      counts: () => ({ ...calls.counts }),
      spans: () => ({ call: calls.times.takeDelta(), sheet: broker.takeTimesToSheet() }),
      brokerLost: () => rpc.lost,
    });
    running.stopBeat = () => (clearInterval(look), beats.stop());
    this.#port.send({ type: "ready", where: socket }); // after the first beat: the first workers learn from it how full the service is
  }

  #yield(): Promise<void> {
    this.#running?.ledger.close();
    return this.#running?.custody.yield() ?? Promise.resolve();
  }

  #told({ id, question }: Extract<ToChild, { type: "ask" }>): void {
    if (this.#running === undefined) return;
    const { ledger, broker } = this.#running;
    const tell = (answer: { readonly ok: boolean; readonly text: string }): void => this.#port.send({ type: "told", id, ...answer });
    if (question.do === "aside" || question.do === "retry" || question.do === "discard") void broker.aside(question).then(tell);
    else if (question.do === "purge") tell(purge(broker, question.table));
    else void answerOperator(ledger.store, question, systemClock.wall()).then(tell);
  }

  /** Under one name: one copy at a time, and what a killed `drover backup` left is replaced by the next. */
  async #copy({ dataDir }: BrokerConfig): Promise<string> {
    const path = join(dataDir, JOURNAL_COPY);
    await this.#running?.broker.copyJournal(path);
    return path;
  }

  /** A successor is gone. */
  async #takeBack(): Promise<void> {
    const running = this.#running;
    if (running === undefined || !(await running.custody.reclaim())) return;
    running.ledger.start();
    await running.custody.takeBack();
  }

  async #leave(): Promise<void> {
    if (this.#leaving) return;
    this.#leaving = true;
    const exit = this.#exit;
    const running = this.#running;
    const timer = setTimeout(() => exit(EXIT.done.code), CLOSE_WITHIN);
    running?.stopBeat();
    running?.ledger.close();
    await running?.custody.leave(); // clients that wait for an answer still get it
    await running?.broker.account?.close();
    const closed = running?.broker.close();
    running?.rpc.close();
    await closed;
    running?.letGo();
    clearTimeout(timer);
    this.#port.send({ type: "drained", served: 0 });
    exit(EXIT.done.code);
  }

  #fail(e: unknown): void {
    const error = knownError(e);
    this.#deps.log.fatal({ err: error }, `the broker can't start: ${error.message}`);
    this.#port.send({ type: "fatal", exit: error.exit, code: error.code, message: error.message });
    this.#exit(error.exit);
  }

  readonly #exit = (code: number): void => (this.#deps.exit ?? ((status: number) => process.exit(status)))(code);
}

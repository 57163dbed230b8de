/** The broker's process: the one that talks to Google. Ready as soon as it can answer workers, whatever Google does. */
import { startBeat } from "../base/beat.ts";
import { systemClock } from "../base/clock.ts";
import { DroverError, messageOf } from "../base/errors.ts";
import { EXIT } from "../base/exit.ts";
import type { Logger } from "../base/log.ts";
import type { MasterPort } from "../base/port.ts";
import { noCounters, type Counters, type ToChild } from "../base/protocol.ts";
import { seconds } from "../base/units.ts";
import { readTables } from "../sheets/tables.ts";
import { Broker } from "./broker.ts";
import type { BrokerConfig } from "./config.ts";
import { readServiceAccount } from "./credentials.ts";
import { createGoogle } from "./google.ts";
import { serveBroker, type RpcServer } from "./rpc.ts";

export interface BrokerDeps {
  readonly log: Logger;
  /** Opens the log file again. */
  readonly reopen: () => void;
  /** Ends the process. */
  readonly exit?: (code: number) => void;
}

/** The longest that stopping may take: what is not on disk by then is asked of Google again. */
const CLOSE_WITHIN = seconds(1);

interface Running {
  readonly broker: Broker;
  readonly rpc: RpcServer;
  readonly stopBeat: () => void;
}

/** @throws DroverError for anything an operator must mend. */
function openBroker(config: BrokerConfig, log: Logger): Broker {
  const { keyFile, spreadsheetId, sheetsEndpoint, oauthEndpoint, tablesFile, ttl, readsPerMinute, dataDir } = config;
  if (keyFile === null && sheetsEndpoint === null)
    throw new DroverError(
      "DROVER_E_CREDENTIALS",
      "GOOGLE_APPLICATION_CREDENTIALS is not set: set it to the path of a service account's key file (JSON), and share the spreadsheet with that account",
    );
  const upstream = createGoogle({
    spreadsheetId,
    account: keyFile === null ? undefined : readServiceAccount(keyFile),
    sheetsEndpoint: sheetsEndpoint ?? undefined,
    oauthEndpoint: oauthEndpoint ?? undefined,
    timeout: config.upstreamTimeout,
    clock: systemClock,
  });
  const tables = tablesFile === null ? undefined : readTables(tablesFile, ttl);
  return new Broker({ spreadsheetId, tables, ttl, readsPerMinute, dataDir, upstream, clock: systemClock, log });
}

function counters({ calls, errors }: Broker["counters"]): Counters {
  return { ...noCounters(), upstreamCalls: calls, upstreamErrors: errors };
}

function start(port: MasterPort, message: Extract<ToChild, { type: "configure" }>, log: Logger): Running {
  const config = message.config as BrokerConfig;
  const broker = openBroker(config, log);
  const rpc = serveBroker(broker, config.socket, log);
  broker.start();
  rpc.takeOver();
  port.send({ type: "ready", where: config.socket });
  const stopBeat = startBeat(port, message.beatEvery, {
    inFlight: () => 0,
    connections: () => rpc.connections(),
    full: () => false,
    counters: () => counters(broker.counters),
    latency: () => [],
    upstream: () => broker.report(),
  });
  return { broker, rpc, stopBeat };
}

/** Runs until the master says `drain` or is gone. @returns when the listeners stand; the process goes on. */
export function runBroker(port: MasterPort, deps: BrokerDeps): Promise<void> {
  const { log } = deps;
  const exit = deps.exit ?? ((code: number) => process.exit(code));
  let running: Running | undefined;
  let leaving = false;

  const leave = async (): Promise<void> => {
    if (leaving) return;
    leaving = true;
    const timer = setTimeout(() => exit(EXIT.done.code), CLOSE_WITHIN);
    running?.stopBeat();
    running?.rpc.close();
    await running?.broker.close();
    clearTimeout(timer);
    port.send({ type: "drained", served: 0 });
    exit(EXIT.done.code);
  };

  const configure = (message: Extract<ToChild, { type: "configure" }>): void => {
    try {
      running = start(port, message, log);
    } catch (e) {
      const known = e instanceof DroverError;
      log.fatal({ err: e }, `the broker can't start: ${messageOf(e)}`);
      const code = known ? e.code : "DROVER_E_BUG";
      const status = known ? e.exit : EXIT.bug.code;
      port.send({ type: "fatal", exit: status, code, message: messageOf(e) });
      exit(status);
    }
  };

  port.onMessage((message) => {
    if (message.type === "configure" && running === undefined) configure(message);
    else if (message.type === "drain") void leave();
    else if (message.type === "reopen") deps.reopen();
  });
  port.onLost(() => void leave());
  return Promise.resolve();
}

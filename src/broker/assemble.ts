/** A broker with its ledger and its connection to Google, as the daemon has them. */
import { hostname } from "node:os";
import { systemClock } from "../base/clock.ts";
import { DroverError } from "../base/errors.ts";
import type { Logger } from "../base/log.ts";
import { deriveKey } from "../sheets/secrets.ts";
import { readTables } from "../sheets/tables.ts";
import { namesOf, newsOf } from "./account.ts";
import { Broker } from "./broker.ts";
import { CallTally } from "./calltally.ts";
import type { BrokerConfig } from "./config.ts";
import { readServiceAccount } from "./credentials.ts";
import { createGoogle } from "./google.ts";
import { EmbeddedStore } from "./ledger/embedded.ts";
import { openKept } from "./ledger/kept.ts";
import { Engine } from "./ledger/redis/engine.ts";
import { RedisStore } from "./ledger/redis/store.ts";
import { Registry } from "./ledger/registry.ts";
import type { LedgerStore } from "./ledger/store.ts";
import type { BrokerOptions } from "./parts.ts";
import { LONGEST_NAME } from "./store.ts";
import type { Upstream } from "./upstream.ts";

export type Google = ReturnType<typeof createGoogle>;

export interface Opened {
  readonly broker: Broker;
  readonly ledger: Registry;
  readonly upstream: Google;
  readonly calls: CallTally;
}

/** Makes the broker of a configuration; it asks for nothing yet. @throws DroverError for anything an operator must fix. */
export function openBroker(config: BrokerConfig, log: Logger): Opened {
  const { keyFile, spreadsheetId, sheetsEndpoint, oauthEndpoint, tablesFile, ttl, readsPerMinute, dataDir, journalSize } = config;
  if (keyFile === null && sheetsEndpoint === null)
    throw new DroverError(
      "DROVER_E_CREDENTIALS",
      "GOOGLE_APPLICATION_CREDENTIALS is not set: set it to the path of a service account's key file (JSON), and share the spreadsheet with that account",
    );
  const account = keyFile === null ? undefined : readServiceAccount(keyFile);
  const calls = new CallTally();
  const upstream = createGoogle({
    called: (pool, outcome, took) => calls.add(pool, outcome, took),
    spreadsheetId,
    account,
    sheetsEndpoint: sheetsEndpoint ?? undefined,
    oauthEndpoint: oauthEndpoint ?? undefined,
    timeout: config.upstreamTimeout,
    clock: systemClock,
  });
  const tables = tablesFile === null ? undefined : readTables(tablesFile, ttl);
  const elsewhere = (id: string): Upstream => upstream.of(id);
  const { sessionKey, slots: rules, zone } = config;
  const secretKey = sessionKey === null ? {} : { secretKey: deriveKey(sessionKey) };
  const own = new EmbeddedStore({ rules, zone, clock: systemClock, log, open: () => openKept(dataDir, log) });
  const engine = config.sessionStore === null ? undefined : new Engine({ ...config.sessionStore, log });
  const store = engine === undefined ? own : new RedisStore({ own, engine, rules, clock: systemClock });
  const ledger = new Registry(store, log);
  const sources = { upstream, elsewhere, ledger, ...secretKey, ...sharing(config, account?.email, store, log) };
  const options = { spreadsheetId, tables, ttl, readsPerMinute, dataDir, journalSize, ...sources, clock: systemClock, log };
  return { broker: new Broker(options), ledger, upstream, calls };
}

/** Other daemons may use the same Google account, or the same emulator: those that have the same store are known to one another. */
function sharing(config: BrokerConfig, email: string | undefined, sessions: LedgerStore, log: Logger): Pick<BrokerOptions, "account"> {
  const { sessionStore, dataDir } = config;
  if (sessionStore === null) return {};
  const names = namesOf({ ...config, email });
  const [what, meanwhile] = ["the connection for the quota of the account", "this daemon makes its part of the calls"];
  const isSaid = (): boolean => sessions.report?.problem !== undefined; // the sessions' own connection says it
  const quiet = { info: log.debug.bind(log), error: (text: string): void => (isSaid() ? log.debug(text) : log.error(text)) };
  const engine = new Engine({ ...sessionStore, channel: newsOf(names.account), log: quiet, what, meanwhile });
  return { account: { engine, ...names, name: `${hostname()}:${dataDir}`.slice(0, LONGEST_NAME) } };
}

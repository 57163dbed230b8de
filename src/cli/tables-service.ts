import type { LimitRules } from "../app/limits/rules.ts";
import type { Logger } from "../base/log.ts";
import { DroverError } from "../base/errors.ts";
import type { SlotNoun } from "../base/slots.ts";
import type { Ms } from "../base/units.ts";
import { brokerTransport } from "../sheets/broker-transport.ts";
import { createTables, type Tables } from "../sheets/client.ts";
import type { Ledger, Tallies } from "../sheets/ledger.ts";
import { createLedger } from "../sheets/ledger-client.ts";
import type { BufferedPort } from "./child-port.ts";

/** What the plan tells a worker about tables. */
export interface TablesExtras {
  readonly brokerSocket: string;
  readonly brokerTimeout: Ms;
  /** A spreadsheet is named, or the demo is on. */
  readonly spreadsheet: boolean;
}

/** All that the composition root adds to a worker's config. */
export interface WorkerServices extends TablesExtras {
  readonly staticDir: string | null;
  /** How long clients of event streams wait before they come back. */
  readonly reconnect: Ms;
  readonly sessions: {
    /** The first seals, all open. */
    readonly keys: readonly string[];
    readonly idle: Ms;
    readonly lifetime: Ms;
    readonly noun: SlotNoun;
  };
  readonly limits: LimitRules;
  /** What a worker needs to pass the administration's requests on. */
  readonly admin: { readonly socket: string; readonly hosts: readonly string[]; readonly here: boolean };
}

interface Client {
  readonly slot: number;
  readonly generation: number;
  readonly extras: TablesExtras;
}

/** What a worker has of the broker. */
export interface BrokerServices {
  /** This worker can't reach the broker. */
  lost(): boolean;
  readonly tables: Tables;
  readonly ledger: Ledger & Tallies;
}

/**
 * The tables client and the ledger of this worker, made when one is first asked for: then the master starts the broker, if there is none.
 * `use` throws DROVER_E_NO_SPREADSHEET where no spreadsheet is named; `lost` is false until it was called.
 */
export function brokerServices(
  { slot, generation, extras }: Client,
  port: BufferedPort,
  log: Logger,
): { use(): BrokerServices; lost(): boolean } {
  const { brokerSocket, brokerTimeout, spreadsheet } = extras;
  let services: BrokerServices | undefined;
  const use = (): BrokerServices => {
    if (!spreadsheet)
      throw new DroverError(
        "DROVER_E_NO_SPREADSHEET",
        "this application asks for tables, but no spreadsheet is named: set DROVER_SPREADSHEET_ID and GOOGLE_APPLICATION_CREDENTIALS, or DROVER_DEMO=on",
      );
    if (services === undefined) {
      port.send({ type: "wants", what: "tables" });
      const link = brokerTransport({ path: brokerSocket, slot, generation, timeout: brokerTimeout, log });
      const ledger = createLedger(link.ledger); // before the tables connect: nothing that is pushed is missed
      services = { lost: () => link.lost, ledger, tables: createTables(link, { log, patience: brokerTimeout }) };
    }
    return services;
  };
  return { use, lost: () => services?.lost() ?? false };
}

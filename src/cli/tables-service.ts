import type { Logger } from "../base/log.ts";
import { DroverError } from "../base/errors.ts";
import type { Ms } from "../base/units.ts";
import { brokerTransport } from "../sheets/broker-transport.ts";
import { createTables, type Tables } from "../sheets/client.ts";
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
  };
}

interface Client {
  readonly slot: number;
  readonly generation: number;
  readonly extras: TablesExtras;
}

/**
 * The tables client of this worker, made when it is first asked for: then the master starts the broker, if there is none.
 * @returns a function that throws DROVER_E_NO_SPREADSHEET where no spreadsheet is named.
 */
export function tablesService({ slot, generation, extras }: Client, port: BufferedPort, log: Logger): () => Tables {
  const { brokerSocket, brokerTimeout, spreadsheet } = extras;
  let tables: Tables | undefined;
  return () => {
    if (!spreadsheet)
      throw new DroverError(
        "DROVER_E_NO_SPREADSHEET",
        "this application asks for tables, but no spreadsheet is named: set DROVER_SPREADSHEET_ID and GOOGLE_APPLICATION_CREDENTIALS, or DROVER_DEMO=on",
      );
    if (tables === undefined) {
      port.send({ type: "wants", what: "tables" });
      tables = createTables(brokerTransport({ path: brokerSocket, slot, generation, timeout: brokerTimeout, log }), {
        log,
        patience: brokerTimeout,
      });
    }
    return tables;
  };
}

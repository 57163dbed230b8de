/** What the application needs of its worker, in one record: routes take it as an argument, so tests hand them fakes. */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Clock } from "../base/clock.ts";
import type { Logger } from "../base/log.ts";
import type { Health } from "../base/protocol.ts";
import type { Services } from "../base/runtime.ts";
import type { SlotNoun } from "../base/slots.ts";
import type { Ms } from "../base/units.ts";
import type { Tables } from "../sheets/client.ts";
import type { Ledger, Tallies } from "../sheets/ledger.ts";
import type { SecretKey } from "../sheets/secrets.ts";
import type { Clients, PreparedAnswers, Streams, Threads } from "../worker/app.ts";
import type { Limiter } from "./limits/limiter.ts";
import type { Accounts } from "./session/accounts.ts";
import type { Sessions } from "./session/sessions.ts";
import type { Turns } from "./session/turns.ts";

/** Where requests to the administration go: it answers them itself, or passes them on to the master. */
export interface AdminDoor {
  owns(target: string): boolean;
  answer(
    req: IncomingMessage,
    res: ServerResponse,
    arrival: {
      readonly client: string;
      readonly requestId: string;
      readonly secure: boolean;
      readonly health: Health;
      /** Counts a wrong try. @returns how long its client must wait; 0: there were not too many. */
      strike(): Promise<Ms>;
    },
  ): void;
}

export interface AppServices {
  readonly tables: Tables;
  readonly prepared: PreparedAnswers;
  readonly threads: Threads;
  /** What event streams need. */
  readonly live: Services["live"] & { readonly streams: Streams };
  readonly clients: Clients;
  /** Who is in, and how often somebody did something, for the whole machine. */
  readonly ledger: Ledger & Tallies;
  /** How often clients may do what. */
  readonly limiter: Limiter;
  readonly sessions: Sessions;
  readonly sessionKeys: readonly SecretKey[];
  readonly sessionIdle: Ms;
  readonly accounts: Accounts;
  readonly turns: Turns;
  readonly clock: Clock;
  readonly log: Logger;
  health(): Health;
}

declare module "../base/runtime.ts" {
  interface Services {
    /** What the settings say about the site. */
    readonly site: {
      /** The operator's directory of files, absolute; undefined: the page that comes with drover. */
      readonly staticDir: string | undefined;
      /** Absent in tests of the application alone. */
      readonly admin?: AdminDoor;
    };
    /** What they say about sessions. */
    readonly sessions: {
      /** At least one: the first seals, all open. */
      readonly keys: readonly string[];
      readonly idle: Ms;
      readonly lifetime: Ms;
      readonly noun: SlotNoun;
    };
    /** What they say about event streams. */
    readonly live: {
      /** How long clients wait before they come back. */
      readonly reconnect: Ms;
      /** Streams of one worker at a time. */
      readonly mostStreams: number;
    };
  }
}

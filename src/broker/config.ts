import type { LogLevel, LogTarget } from "../base/log.ts";
import { perMinute, type Bytes, type Ms, type PerMinute } from "../base/units.ts";
import { slotsOf } from "../settings/rows/limits.ts";
import type { Settings } from "../settings/table.ts";
import type { SlotRules } from "./ledger/slots.ts";

/** All that a broker is told with `configure`. Plain JSON: it crosses the channel. */
export interface BrokerConfig {
  readonly spreadsheetId: string;
  /** The service account's key file; null: calls carry no token. */
  readonly keyFile: string | null;
  readonly sheetsEndpoint: string | null;
  readonly oauthEndpoint: string | null;
  /** The oldest session key, which all generations that run have; null: none, and nobody can log in. */
  readonly sessionKey: string | null;
  /** null: every tab of the spreadsheet is a table. */
  readonly tablesFile: string | null;
  readonly ttl: Ms;
  readonly readsPerMinute: PerMinute;
  readonly writesPerMinute: PerMinute;
  /** Most of accepted writes that may wait to be sent. */
  readonly journalSize: Bytes;
  readonly upstreamTimeout: Ms;
  /** Who may be in, and how many. */
  readonly slots: SlotRules;
  /** The engine that keeps sessions and counters; null: this broker does. */
  readonly sessionStore: { readonly url: string; readonly prefix: string } | null;
  /** Where a day ends at midnight. */
  readonly zone: string;
  readonly dataDir: string;
  /** Where workers look for the broker: a unix socket. */
  readonly socket: string;
  readonly log: { readonly target: LogTarget; readonly level: LogLevel };
}

/** What a broker needs and settings don't say, or say otherwise in demo. */
export interface BrokerExtras {
  readonly spreadsheetId: string;
  readonly keyFile: string | undefined;
  readonly sheetsEndpoint: string | undefined;
  readonly oauthEndpoint: string | undefined;
  readonly tablesFile: string | undefined;
  readonly sessionKeys: readonly string[];
  readonly socket: string;
}

export function brokerConfig(settings: Settings, extras: BrokerExtras): BrokerConfig {
  return {
    spreadsheetId: extras.spreadsheetId,
    keyFile: extras.keyFile ?? null,
    sheetsEndpoint: extras.sheetsEndpoint ?? null,
    oauthEndpoint: extras.oauthEndpoint ?? null,
    tablesFile: extras.tablesFile ?? null,
    sessionKey: extras.sessionKeys.at(-1) ?? null,
    ttl: settings.cache_ttl,
    readsPerMinute: perMinute(settings.reads_per_minute),
    writesPerMinute: perMinute(settings.writes_per_minute),
    journalSize: settings.journal_size,
    upstreamTimeout: settings.upstream_timeout,
    slots: {
      max: slotsOf(settings.max_slots, settings.memory),
      perUser: settings.max_slots_per_user,
      conflict: settings.slot_conflict,
      lease: settings.slot_lease,
    },
    sessionStore: settings.session_store === undefined ? null : { url: settings.session_store, prefix: settings.session_prefix },
    zone: settings.time_zone,
    dataDir: settings.data_dir,
    socket: extras.socket,
    log: { target: settings.log_file, level: settings.log_level },
  };
}

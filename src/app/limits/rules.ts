/** The limits that the settings name, as a worker is told them. Plain JSON: it crosses the channel. */
import type { Rate } from "../../settings/rows/limits.ts";
import type { Settings } from "../../settings/table.ts";

export interface LimitRules {
  /** Of one address, or of one user; null: no limit. */
  readonly write: Rate | null;
  readonly read: Rate | null;
  readonly export: Rate | null;
  /** Writes of one user in a day; 0: no limit. */
  readonly daily: number;
  /** Requests to write, and rows in them, of all clients in a minute; 0: no limit. */
  readonly signals: number;
  readonly tokens: number;
  /** Event streams of one address, and of one user, in each worker; 0: no limit. */
  readonly streamsPerAddress: number;
  readonly streamsPerUser: number;
}

export function limitRules(settings: Settings): LimitRules {
  return {
    write: settings.rate_limit ?? null,
    read: settings.read_rate ?? null,
    export: settings.export_rate ?? null,
    daily: settings.daily_quota,
    signals: settings.signals_per_minute,
    tokens: settings.tokens_per_minute,
    streamsPerAddress: settings.streams_per_address,
    streamsPerUser: settings.streams_per_user,
  };
}

/** Nobody is limited: for tests. */
export const NO_LIMITS: LimitRules = {
  write: null,
  read: null,
  export: null,
  daily: 0,
  signals: 0,
  tokens: 0,
  streamsPerAddress: 0,
  streamsPerUser: 0,
};

declare module "../../base/runtime.ts" {
  interface Services {
    readonly limits: LimitRules;
  }
}

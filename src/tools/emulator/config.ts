import type { LogLevel, LogTarget } from "../../base/log.ts";
import type { Settings } from "../../settings/table.ts";
import type { LatencyProfile } from "./latency.ts";

/** All that the supervised emulator is told, with `configure`. Plain JSON: it crosses the channel. */
export interface EmulatorConfig {
  readonly dataDir: string;
  readonly sampleDir: string;
  readonly keyFile: string;
  readonly spreadsheetId: string;
  readonly latency: LatencyProfile;
  readonly quota: boolean;
  /** Opens the emulator's own routes; null: there are none. */
  readonly adminToken: string | null;
  /** Where the emulator is reached. */
  readonly url: string;
  readonly backlog: number;
  readonly log: { readonly target: LogTarget; readonly level: LogLevel };
}

/** What the emulator needs and settings don't say. */
export type EmulatorPlaces = Pick<
  EmulatorConfig,
  "adminToken" | "dataDir" | "sampleDir" | "keyFile" | "spreadsheetId" | "url"
>;

export function emulatorConfig(settings: Settings, places: EmulatorPlaces): EmulatorConfig {
  return {
    ...places,
    latency: settings.emulator_latency,
    quota: settings.emulator_quota,
    backlog: settings.backlog,
    log: { target: settings.log_file, level: settings.log_level },
  };
}

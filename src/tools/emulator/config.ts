import type { LogLevel, LogTarget } from "../../base/log.ts";
import type { Settings } from "../../settings/table.ts";
import type { LatencyProfile } from "./latency.ts";

/** The emulator's part of `configure`. Plain JSON, for the channel. */
export interface EmulatorConfig {
  readonly dataDir: string;
  readonly sampleDir: string;
  readonly keyFile: string;
  readonly spreadsheetId: string;
  readonly latency: LatencyProfile;
  readonly quota: boolean;
  /** Opens the control routes; null: there are none. */
  readonly adminToken: string | null;
  /** The emulator's address. */
  readonly url: string;
  readonly backlog: number;
  readonly log: { readonly target: LogTarget; readonly level: LogLevel };
}

/** What does not follow from the settings. */
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

/** What a generation of children runs with: decided once, when the generation begins, and the same for a child that is replaced. */
import { existsSync, realpathSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import { DroverError } from "../base/errors.ts";
import { ownPath } from "../base/place.ts";
import { readCertificate, type Certificate } from "./certificate.ts";
import type { Settings } from "../settings/table.ts";
import { keysOf } from "./session-key.ts";

export interface Plan {
  readonly generation: number;
  readonly settings: Settings;
  /** The application's real path: a link that is switched during the generation changes nothing. undefined: the built-in one. */
  readonly app: string | undefined;
  /** The hooks' real path. */
  readonly hooks: string | undefined;
  readonly demo: boolean;
  /** Which spreadsheet is served; undefined for an application that names none. */
  readonly spreadsheetId: string | undefined;
  readonly keyFile: string | undefined;
  readonly tablesFile: string | undefined;
  readonly sheetsEndpoint: string | undefined;
  readonly oauthEndpoint: string | undefined;
  /** The keys of sessions, of the setting or of the data directory, where the first is made at the first call. @throws DroverError. */
  sessionKeys(): readonly string[];
  /** As it was read when the generation began. */
  readonly certificate: Certificate | undefined;
}

/** The package's own folder: two levels up from src/cli and from dist/cli. */
export const PACKAGE = ownPath("");
export const SAMPLE_DIR = join(PACKAGE, "config", "sample");
export const SAMPLE_TABLES = join(PACKAGE, "config", "tables.json");
/** The id under which the emulator keeps the sample workbook. */
export const SAMPLE_ID = "drover-sample-workbook";

export const emulatorDir = (settings: Settings): string => join(settings.data_dir, "emulator");
export const emulatorKey = (settings: Settings): string => join(emulatorDir(settings), "key.json");

export interface PlanInput {
  readonly generation: number;
  readonly settings: Settings;
  readonly demo: boolean;
  /** The emulator's address, in demo. */
  readonly emulatorUrl: string | undefined;
}

/**
 * @throws DroverError DROVER_E_APP or DROVER_E_HOOKS when the application's or the hooks' file is not there, DROVER_E_NO_SPREADSHEET when the built-in
 * service has nothing to serve, DROVER_E_TLS for a certificate that can't be served.
 */
export function makePlan({ generation, settings, demo, emulatorUrl }: PlanInput): Plan {
  const app = settings.app === undefined ? undefined : applicationPath(settings.app);
  if (app === undefined && !demo && settings.spreadsheet_id === undefined) throw new DroverError("DROVER_E_NO_SPREADSHEET", NO_SPREADSHEET);
  if (!demo) checkKey(settings, settings.spreadsheet_id);
  return {
    generation,
    settings,
    app,
    hooks: settings.hooks === undefined ? undefined : hooksPath(settings.hooks),
    demo,
    spreadsheetId: demo ? SAMPLE_ID : settings.spreadsheet_id,
    keyFile: demo ? emulatorKey(settings) : settings.google_application_credentials,
    tablesFile: settings.tables ?? (demo ? SAMPLE_TABLES : undefined),
    sheetsEndpoint: demo ? emulatorUrl : settings.sheets_endpoint,
    oauthEndpoint: demo ? emulatorUrl : settings.oauth_endpoint,
    sessionKeys: lazily(() => settings.session_key ?? keysOf(settings.data_dir)),
    certificate: readCertificate(settings),
  };
}

function lazily<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => (made ??= { value: make() }).value;
}

const NO_SPREADSHEET =
  "DROVER_SPREADSHEET_ID is not set and the demo is off: there is nothing to serve. Set it to the id in your spreadsheet's address " +
  "(between /d/ and /edit), set GOOGLE_APPLICATION_CREDENTIALS to a service account's key file, and share the spreadsheet with that " +
  "account's e-mail address; or set DROVER_DEMO=on to serve the sample workbook";

function checkKey(settings: Settings, spreadsheet: string | undefined): void {
  if (spreadsheet === undefined || settings.google_application_credentials !== undefined) return;
  throw new DroverError(
    "DROVER_E_CREDENTIALS",
    `DROVER_SPREADSHEET_ID is ${spreadsheet}, but GOOGLE_APPLICATION_CREDENTIALS is not set: set it to the path of a service account's key file (JSON)`,
  );
}

function applicationPath(app: string): string {
  const path = resolve(app);
  if (!existsSync(path))
    throw new DroverError("DROVER_E_APP", `the application ${path} does not exist (DROVER_APP, or the path after drover serve)`);
  if (!statSync(path).isFile())
    throw new DroverError("DROVER_E_APP", `the application ${path} is no file: name the module itself, such as ${join(app, "server.mjs")}`);
  return realpathSync(path);
}

function hooksPath(hooks: string): string {
  const path = resolve(hooks);
  if (!existsSync(path)) throw new DroverError("DROVER_E_HOOKS", `the hooks module ${path} does not exist (DROVER_HOOKS)`);
  return realpathSync(path);
}

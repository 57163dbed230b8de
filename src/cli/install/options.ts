/** The command lines of `drover install` and `drover uninstall`. */
import { resolve } from "node:path";
import { DroverError } from "../../base/errors.ts";
import { parseFlags, type CommandFlag } from "../../settings/flags.ts";
import { ENV_FILE_FLAG } from "../../settings/resolve.ts";
import { variableOf, type AnySetting } from "../../settings/setting.ts";
import { SETTINGS, type SettingName } from "../../settings/table.ts";
import { EVENT, namesOf, SINGLE, type UnitNames } from "../../tools/emit/units.ts";

/** Where an installation is: below `root`, which is `/` but for images and tests. */
export interface Where {
  readonly root: string;
  readonly names: UnitNames;
  /** Its name among several; undefined: the only one. */
  readonly event: string | undefined;
}

export interface InstallOptions extends Where {
  readonly dryRun: boolean;
  readonly systemd: number | undefined;
  /** A service account's key, to be put where the unit looks for it. */
  readonly key: string | undefined;
  /** Settings for the env file, by variable. */
  readonly given: ReadonlyMap<string, string>;
}

export interface UninstallOptions extends Where {
  readonly dryRun: boolean;
  readonly purge: boolean;
  readonly anyway: boolean;
}

const usage = (message: string): DroverError => new DroverError("DROVER_E_USAGE", message);

const COMMON: readonly CommandFlag[] = [{ name: "name", takes: "value" }, { name: "root", takes: "value" }, { name: "dry-run" }];

function where(own: ReadonlyMap<string, string>): Where {
  const event = own.get("name");
  const root = own.get("root") ?? "/";
  if (root === "") throw usage("--root needs the name of a folder");
  if (event !== undefined && !EVENT.test(event))
    throw usage(
      `--name ${event}: expected at most 23 small letters, digits and dashes, the first a letter: it becomes a user, a folder and a unit`,
    );
  return { root: resolve(root), event, names: event === undefined ? SINGLE : namesOf(event) };
}

/** What the unit decides, or has a way of its own. */
const NOT_GIVEN: Partial<Record<SettingName | typeof ENV_FILE_FLAG, string>> = {
  [ENV_FILE_FLAG]: "an installation has its own env file",
  google_application_credentials: "give the key file to --key: it is copied to where the unit takes it from, for root alone",
  data_dir: "the unit says where drover may write",
  run_dir: "the unit says where drover may write",
  log_file: "the unit says where drover may write",
};

export function parseInstall(argv: readonly string[]): InstallOptions {
  const line = parseFlags(argv, SETTINGS, [...COMMON, { name: "key", takes: "value" }, { name: "systemd-version", takes: "value" }]);
  if (line.positional.length > 0) throw usage(`drover install takes no ${line.positional[0]}: an application goes into DROVER_APP (--app)`);
  const version = line.own.get("systemd-version");
  if (version !== undefined && !/^[1-9]\d{2}$/.test(version)) throw usage(`--systemd-version ${version}: expected a number such as 252`);
  const rows: readonly AnySetting[] = SETTINGS;
  const given = new Map<string, string>();
  for (const [name, text] of line.flags) {
    const why = NOT_GIVEN[name as SettingName];
    if (why !== undefined) throw usage(`--${name.replaceAll("_", "-")} is not for drover install: ${why}`);
    const row = rows.find((setting) => setting.name === name);
    if (row !== undefined) given.set(variableOf(row), text);
  }
  const key = line.own.get("key");
  return {
    ...where(line.own),
    dryRun: line.own.has("dry-run"),
    systemd: version === undefined ? undefined : Number(version),
    key: key === undefined ? undefined : resolve(key),
    given,
  };
}

export function parseUninstall(argv: readonly string[]): UninstallOptions {
  const line = parseFlags(argv, [], [...COMMON, { name: "purge" }, { name: "anyway" }]);
  if (line.positional.length > 0) throw usage(`drover uninstall takes no ${line.positional[0]}`);
  return { ...where(line.own), dryRun: line.own.has("dry-run"), purge: line.own.has("purge"), anyway: line.own.has("anyway") };
}

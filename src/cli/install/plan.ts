/** All that an installation comes to, before anything is written. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { DroverError, messageOf } from "../../base/errors.ts";
import { readServiceAccount } from "../../broker/credentials.ts";
import type { BindAddress } from "../../settings/addresses.ts";
import { parseEnvFile } from "../../settings/envfile.ts";
import { detectMachine } from "../../settings/machine.ts";
import { renderServiceEnv, serviceLines } from "../../settings/reference.ts";
import { ENV_FILE_FLAG, resolveSettings } from "../../settings/resolve.ts";
import { variableOf, type AnySetting } from "../../settings/setting.ts";
import { SETTINGS } from "../../settings/table.ts";
import { namesOf } from "../../tools/emit/units.ts";
import { thisPlace, type Place } from "../../tools/emit/place.ts";
import { filled, sharedUnit } from "../../tools/emit/systemd.ts";
import { contentOf, type EmittedFile } from "../../tools/emit/write.ts";
import { PACKAGE } from "../plan.ts";
import type { InstallOptions } from "./options.ts";
import { pack, RUNTIME, type Packed } from "./package.ts";
import { CURRENT, HOME } from "./version.ts";

export interface InstallPlan {
  readonly options: InstallOptions;
  readonly packed: Packed;
  /** The version's folder, below the root. */
  readonly folder: string;
  readonly bind: readonly BindAddress[];
  /** Units and their like: ours to replace. */
  readonly units: readonly EmittedFile[];
  /** The env file, where there is none, and the key, where one was given: the operator's from then on. */
  readonly theirs: readonly EmittedFile[];
}

const WRITER = "drover install";
/** Below it lie units that a package of the distribution, or an operator, may have brought. */
export const UNIT_FOLDERS = [
  "/etc/systemd/system",
  "/run/systemd/system",
  "/usr/local/lib/systemd/system",
  "/usr/lib/systemd/system",
  "/lib/systemd/system",
];
/** bin/drover starts it so, too. */
export const NODE_FLAGS = ["--max-semi-space-size=2"];

const cant = (why: string): DroverError => new DroverError("DROVER_E_INSTALL", why);

/** As the env file takes it. @throws DroverError for what it can't carry. */
function envLine(variable: string, text: string): string {
  if (/^[\w.,:/@+%=-]*$/.test(text)) return text;
  if (!/['\n\r]/.test(text)) return `'${text}'`;
  throw cant(`${variable} holds a quote or a line break: write it into the env file yourself`);
}

/** Variables whose text no error repeats. */
const secrets = new Set((SETTINGS as readonly AnySetting[]).flatMap((row) => (row.secret === true ? [variableOf(row)] : [])));

/** The text of a new env file, or of the one that is there. @throws DroverError when it says otherwise than what was given. */
function envText({ root, names, given }: InstallOptions): { text: string; isNew: boolean } {
  const path = join(root, names.envFile);
  const there = contentOf(path);
  if (there === undefined) {
    const lines = new Map([...serviceLines(names.dir), ...Array.from(given, ([name, text]) => [name, envLine(name, text)] as const)]);
    return { text: renderServiceEnv({ keyFile: names.keyFile, lines }), isNew: true };
  }
  const { entries } = parseEnvFile(path, there);
  for (const [name, text] of given)
    if (entries.get(name)?.text !== text)
      throw cant(
        `${path} is there already, and ${entries.has(name) ? `says ${name}=${secrets.has(name) ? "…" : entries.get(name)?.text}` : `has no ${name}`}: change it there, and install without that flag. Nothing was changed`,
      );
  return { text: there, isNew: false };
}

/** Where its settings say it listens. @throws SettingsError for settings that can't be. */
function bindOf(options: InstallOptions, text: string): readonly BindAddress[] {
  const path = join(options.root, options.names.envFile);
  // The unit raises the limit of open files; the one of this shell says nothing.
  const machine = { ...detectMachine({}), nofile: undefined };
  const { settings, sources } = resolveSettings({
    flags: new Map([[ENV_FILE_FLAG, path]]),
    env: {},
    cwd: "/",
    machine,
    readFile: () => text,
  });
  if (options.event !== undefined && sources.bind.from === "default")
    throw cant(`the event ${options.event} needs an address of its own: --bind 127.0.0.1:8081. Nothing was changed`);
  return settings.bind;
}

/** @throws DroverError when it is no key. */
function keyText(key: string): string {
  readServiceAccount(key);
  try {
    return readFileSync(key, "utf8");
  } catch (e) {
    throw new DroverError("DROVER_E_CREDENTIALS", `--key ${key} can't be read: ${messageOf(e)}`, { cause: e });
  }
}

/** The place as the unit sees it, whichever version is current. */
function placeOf(systemd: number | undefined): Place {
  const start = [join(CURRENT, RUNTIME), ...NODE_FLAGS, "--", join(CURRENT, "dist/cli/main.js")];
  return { ...thisPlace(systemd), root: CURRENT, node: join(CURRENT, RUNTIME), start };
}

/** @throws DroverError for settings, a key or a package that can't be installed. */
export function planInstall(options: InstallOptions): InstallPlan {
  const { root, names, event } = options;
  const { text, isNew } = envText(options);
  const bind = bindOf(options, text);
  const packed = pack(PACKAGE.replace(/\/$/, ""));
  const place = placeOf(options.systemd);
  const files = filled(place, bind, join(root, "etc"), { names, writer: WRITER });
  const units =
    event === undefined
      ? files
      : [
          ...files.filter(({ path }) => !path.endsWith(`/${names.service}`)),
          sharedUnit(place, join(root, "etc"), { names: namesOf("%i"), writer: WRITER }),
        ];
  const theirs = [
    ...(isNew ? [{ path: join(root, names.envFile), text, mode: 0o640 }] : []),
    ...(options.key === undefined ? [] : [{ path: join(root, names.keyFile), text: keyText(options.key), mode: 0o600 }]),
  ];
  return { options, packed, folder: join(root, HOME, packed.version), bind, units, theirs };
}

import { DroverError } from "../base/errors.ts";
import { parseFlags, type CommandFlag, type CommandLine } from "../settings/flags.ts";
import { detectMachine, type Machine } from "../settings/machine.ts";
import { resolveSettings, SettingsError, type Resolved } from "../settings/resolve.ts";
import { SETTINGS } from "../settings/table.ts";

/** A command line taken apart, with the settings it leads to. Every command looks in the same places. */
export interface Options extends CommandLine {
  readonly resolved: Resolved;
  readonly machine: Machine;
}

/**
 * @param own flags that belong to the command and are no settings.
 * @throws DroverError for an unknown flag, SettingsError for settings that can't be.
 */
export function readOptions(
  argv: readonly string[],
  own: readonly CommandFlag[] = [],
  app?: (positional: readonly string[], rest: readonly string[]) => string | undefined,
): Options {
  const line = parseFlags(argv, SETTINGS, own);
  const path = app?.(line.positional, line.rest);
  const flags = path === undefined ? line.flags : new Map([...line.flags, ["app", path]]);
  const machine = detectMachine(process.env);
  return { ...line, flags, machine, resolved: resolveSettings({ flags, env: process.env, cwd: currentFolder(), machine }) };
}

/** @throws DroverError when the folder we were started in has been removed: relative paths then lead nowhere. */
export function currentFolder(): string {
  try {
    return process.cwd();
  } catch (error) {
    throw new DroverError("DROVER_E_DATA_DIR", "the current folder does not exist any more: change to one that does, and try again", {
      cause: error,
    });
  }
}

/** Flags that say where the daemon is. */
const WHERE: ReadonlySet<string> = new Set(["run_dir", "data_dir", "env_file"]);

/** A wrong value of these would lead to another daemon, or to none. */
const PLACES = /^(?:run_dir|data_dir):/;

/**
 * The options of a command that orders a running daemon about. It needs to know where the daemon is and nothing else: with a
 * broken env file `status` still shows what runs, and it is the daemon that refuses the reload, and says why in its log.
 */
export function readClientOptions(
  argv: readonly string[],
  own: readonly CommandFlag[] = [],
): Pick<Options, "own" | "positional" | "resolved"> {
  const line = parseFlags(argv, SETTINGS, own);
  const ignored = [...line.flags.keys()].find((name) => !WHERE.has(name));
  if (ignored !== undefined)
    throw new DroverError(
      "DROVER_E_USAGE",
      `--${ignored.replaceAll("_", "-")} changes nothing here: the daemon that runs has its own settings. ` +
        `Write DROVER_${ignored.toUpperCase()} into its env file, then drover reload`,
    );
  return readSettingsOfCaller(argv, own);
}

/** The same, of a command that uses settings for itself: a load's address, a log file's place. */
export function readSettingsOfCaller(
  argv: readonly string[],
  own: readonly CommandFlag[] = [],
): Pick<Options, "own" | "positional" | "resolved"> {
  try {
    return readOptions(argv, own);
  } catch (error) {
    if (!(error instanceof SettingsError) || error.problems.some((problem) => PLACES.test(problem))) throw error;
    return { ...parseFlags(argv, SETTINGS, own), resolved: error.readable };
  }
}

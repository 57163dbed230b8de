/** The command line: flags of the settings, and those of the command itself. */
import { DroverError } from "../base/errors.ts";
import { nearest } from "./nearest.ts";
import { ENV_FILE_FLAG } from "./resolve.ts";
import { flagOf, type AnySetting } from "./setting.ts";
import { SETTINGS } from "./table.ts";

/** A flag that is no setting: `--json`, `--help`. */
export interface CommandFlag {
  /** Without dashes. */
  readonly name: string;
  /** One letter: `h` for `-h`. */
  readonly short?: string;
  /** Absent: it stands alone. `figure`: it may stand alone, or take one that begins with a digit: `--watch`, `--watch=5`, `--watch 5`. */
  readonly takes?: "value" | "figure";
  /** It may be repeated: what stands between its values. */
  readonly joins?: string;
}

export interface CommandLine {
  /** By row name, and `env_file`: what resolveSettings takes. */
  readonly flags: ReadonlyMap<string, string>;
  /** The command's own flags by name; one that stands alone has the value "". */
  readonly own: ReadonlyMap<string, string>;
  /** Words that are no flags, and all behind `--`. */
  readonly positional: readonly string[];
  /** The words behind `--`. */
  readonly rest: readonly string[];
}

interface Known {
  readonly into: "flags" | "own";
  readonly key: string;
  /** The value when none is given; undefined: one must be. */
  readonly alone: string | undefined;
  /** Says whether a word that follows is this flag's value though it may stand alone. */
  takes(word: string): boolean;
  /** What stands between the values of a repeated flag; undefined: the last counts. */
  readonly joins: string | undefined;
  /** It never has a value. */
  readonly bare: boolean;
}

const usage = (message: string): DroverError => new DroverError("DROVER_E_USAGE", message);

function knownFlags(rows: readonly AnySetting[], own: readonly CommandFlag[]): Map<string, Known> {
  const known = new Map<string, Known>();
  for (const row of rows)
    known.set(flagOf(row), {
      into: "flags",
      key: row.name,
      alone: row.codec.alone,
      takes: (word) => /^(?:[a-z]+|[\d.]+%)$/i.test(word) && row.codec.parse(word, "/").ok,
      joins: row.codec.repeats === true ? "," : undefined,
      bare: false,
    });
  const value = { alone: undefined, takes: () => false, joins: undefined, bare: false };
  known.set("--env-file", { into: "flags", key: ENV_FILE_FLAG, ...value });
  for (const { name, short, takes, joins } of own) {
    const flag: Known = {
      ...value,
      into: "own",
      key: name,
      alone: takes === "value" ? undefined : "",
      takes: (word) => takes === "figure" && /^\d/.test(word),
      bare: takes === undefined,
      joins,
    };
    known.set(`--${name}`, flag);
    if (short !== undefined) known.set(`-${short}`, flag);
  }
  return known;
}

/** `--no-access-log` means `--access-log=off`, for flags that may stand alone. */
function negated(name: string, known: ReadonlyMap<string, Known>): Known | undefined {
  const flag = name.startsWith("--no-") ? known.get(`--${name.slice(5)}`) : undefined;
  return flag?.alone === "on" ? flag : undefined;
}

/**
 * Reads `--name value`, `--name=value`, switches that stand alone (`--access-log`, `--no-access-log`), and `--`, after
 * which everything is positional. A repeated flag: lists are joined, otherwise the last counts.
 * @param argv without the runtime, the script and the command's name.
 * @throws DroverError DROVER_E_USAGE, with the nearest flag for an unknown one.
 */
export function parseFlags(argv: readonly string[], rows: readonly AnySetting[] = SETTINGS, own: readonly CommandFlag[] = []): CommandLine {
  const known = knownFlags(rows, own);
  const found = { flags: new Map<string, string>(), own: new Map<string, string>() };
  const positional: string[] = [];
  let rest: readonly string[] = [];
  for (let i = 0; i < argv.length; i += 1) {
    const word = argv[i] ?? "";
    if (word === "--") {
      rest = argv.slice(i + 1);
      break;
    }
    if (!/^-./.test(word)) {
      positional.push(word);
      continue;
    }
    const [, name = word, given] = /^(-[^=]*)=([\s\S]*)$/.exec(word) ?? [];
    const flag = known.get(name) ?? negated(name, known);
    if (flag === undefined) throw usage(`unknown flag ${name}: did you mean ${nearest(name, [...known.keys(), "--help"]) ?? "--help"}?`);
    const { text, used } = valueOf(name, flag, { given, next: argv[i + 1], negated: !known.has(name) });
    if (used) i += 1;
    const before = found[flag.into].get(flag.key);
    found[flag.into].set(flag.key, flag.joins !== undefined && before !== undefined ? `${before}${flag.joins}${text}` : text);
  }
  return { ...found, positional: [...positional, ...rest], rest };
}

interface Offered {
  readonly given: string | undefined;
  readonly next: string | undefined;
  readonly negated: boolean;
}

/** A flag's value, and whether the next word was used for it. */
function valueOf(name: string, flag: Known, { given, next, negated }: Offered): { readonly text: string; readonly used: boolean } {
  if (negated || flag.bare) {
    if (given !== undefined) throw usage(`${name} takes no value`);
    return { text: negated ? "off" : "", used: false };
  }
  if (given === "" && flag.into === "own") throw usage(`${name}= needs a value`);
  if (given !== undefined) return { text: given, used: false };
  if (flag.alone !== undefined)
    return next !== undefined && flag.takes(next) ? { text: next, used: true } : { text: flag.alone, used: false };
  if (next === undefined || next.startsWith("--")) throw usage(`${name} needs a value: ${name} VALUE`);
  return { text: next, used: true };
}

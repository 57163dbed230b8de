/** default < env file < environment < flag: every value with its source, or every problem at once. */
import { DroverError } from "../base/errors.ts";
import { crossCheck } from "./check.ts";
import { loadEnvFile, type EnvFile, type ReadFile } from "./envfile.ts";
import type { Machine } from "./machine.ts";
import { ENV_FILE_VARIABLE, judgeNames, WORKER_VARIABLE, type FoundName } from "./names.ts";
import { flagOf, parsed, variableOf, type Alias, type AnySetting, type Parsed } from "./setting.ts";
import { quoted, sourceText, type FrozenSource, type Source } from "./source.ts";
import { SETTINGS, type SettingName, type Settings } from "./table.ts";

/** The key of --env-file among the flags. */
export const ENV_FILE_FLAG = "env_file";

export interface ResolveInput {
  /** By row name (`graceful_timeout`), and `env_file`: as parseFlags gives them. */
  readonly flags: ReadonlyMap<string, string>;
  /** The environment drover was started with. It is read, never changed. */
  readonly env: NodeJS.ProcessEnv;
  readonly cwd: string;
  readonly machine: Machine;
  readonly readFile?: ReadFile;
}

/** A line of the env file that something higher keeps from counting. */
export interface HiddenLine {
  readonly name: SettingName;
  readonly text: string;
  readonly line: Source & { readonly from: "file" };
  readonly by: FrozenSource;
}

export interface Resolved {
  readonly settings: Settings;
  readonly sources: Readonly<Record<SettingName, Source>>;
  readonly warnings: readonly string[];
  /** The env file that was found, absolute. */
  readonly envFile: string | undefined;
  readonly hidden: readonly HiddenLine[];
}

/** DROVER_E_SETTINGS with every problem there is, one a line. */
export class SettingsError extends DroverError {
  readonly problems: readonly string[];
  /** What could be read, with the defaults of what could not: enough to find a daemon that runs, never to start one. */
  readonly readable: Resolved;
  constructor(problems: readonly string[], readable: Resolved) {
    const head = problems.length === 1 ? "a setting is wrong" : `${problems.length} settings are wrong`;
    super("DROVER_E_SETTINGS", `${head}:\n${problems.map((problem) => `  ${problem}`).join("\n")}`);
    this.name = "SettingsError";
    this.problems = problems;
    this.readable = readable;
  }
}

interface Found {
  readonly text: string;
  readonly source: Source;
  readonly alias: Alias | undefined;
}

/** Every place that has a value for a row, the one that counts first: a higher place before a lower, the own name before aliases. */
function occurrences(row: AnySetting, input: ResolveInput, file: EnvFile | undefined): Found[] {
  const found: Found[] = [];
  const flag = input.flags.get(row.name);
  if (flag !== undefined) found.push({ text: flag, source: { from: "flag", flag: flagOf(row) }, alias: undefined });
  const names = [{ name: variableOf(row), alias: undefined }, ...(row.aliases ?? []).map((alias) => ({ name: alias.name, alias }))];
  for (const { name, alias } of names) {
    const text = input.env[name];
    if (text !== undefined) found.push({ text, source: { from: "environment", name }, alias });
  }
  for (const { name, alias } of names) {
    const entry = file?.entries.get(name);
    if (file !== undefined && entry !== undefined)
      found.push({ text: entry.text, source: { from: "file", file: file.path, line: entry.line, name }, alias });
  }
  return found;
}

function hiddenLine(name: string, found: readonly Found[]): HiddenLine | undefined {
  const by = found[0]?.source;
  if (by?.from !== "environment" && by?.from !== "flag") return undefined;
  for (const { text, source } of found) if (source.from === "file") return { name: name as SettingName, text, line: source, by };
  return undefined;
}

interface Outcome {
  readonly values: ReadonlyMap<string, unknown>;
  readonly sources: ReadonlyMap<string, Source>;
  readonly hidden: readonly HiddenLine[];
  readonly problems: readonly string[];
}

function byDefault(row: AnySetting, input: ResolveInput, earlier: ReadonlyMap<string, unknown>): Found {
  const { text, why } =
    typeof row.default === "string"
      ? { text: row.default, why: "" }
      : row.default.from({ machine: input.machine, env: input.env, earlier });
  return { text, source: { from: "default", why }, alias: undefined };
}

function read(row: AnySetting, { text, alias }: Found, cwd: string): Parsed<unknown> {
  const own = alias?.translate?.(text) ?? parsed(text);
  return own.ok ? row.codec.parse(own.value, cwd) : own;
}

/** Values are plain data: lists of small records at most. */
function frozen<T>(value: T): T {
  if (typeof value === "object" && value !== null) Object.values(Object.freeze(value)).forEach(frozen);
  return value;
}

/** Resolves a table of rows, one after the other. A row with a problem has its default, so that rows below can still be judged. */
export function resolveRows(rows: readonly AnySetting[], input: ResolveInput, file: EnvFile | undefined): Outcome {
  const values = new Map<string, unknown>();
  const sources = new Map<string, Source>();
  const [hidden, problems]: [HiddenLine[], string[]] = [[], []];
  for (const row of rows) {
    const found = occurrences(row, input, file);
    const chosen = found[0] ?? byDefault(row, input, values);
    let result = read(row, chosen, input.cwd);
    if (!result.ok) {
      problems.push(`${row.name}: ${quoted(row, chosen.text, result.hide)} (${sourceText(chosen.source)}): expected ${result.problem}`);
      result = read(row, byDefault(row, input, values), input.cwd);
    }
    if (!result.ok) throw new DroverError("DROVER_E_BUG", `the default of ${row.name} is not ${result.problem}`);
    values.set(row.name, frozen(result.value));
    sources.set(row.name, chosen.source);
    const line = hiddenLine(row.name, found);
    if (line !== undefined) hidden.push(line);
  }
  return { values, sources, hidden, problems };
}

function* namesFound(env: NodeJS.ProcessEnv, file: EnvFile | undefined): Generator<FoundName> {
  // A command that an application starts inherits its worker's number; set by hand, the name is a misspelt setting.
  const ofWorker = env[WORKER_VARIABLE] === env["NODE_APP_INSTANCE"];
  for (const [name, text = ""] of Object.entries(env))
    if (name !== WORKER_VARIABLE || !ofWorker) yield { name, text, place: "environment", in: "environment" };
  for (const [name, { text, line }] of file?.entries ?? []) yield { name, text, place: `${file?.path}:${line}`, in: "file" };
}

/** @throws SettingsError naming every problem: setting, value, what was expected, and where it came from. */
export function resolveSettings(input: ResolveInput): Resolved {
  const named = { flag: input.flags.get(ENV_FILE_FLAG), variable: input.env[ENV_FILE_VARIABLE] };
  const file = loadEnvFile(named, input.cwd, input.readFile);
  const { values, sources, hidden, problems } = resolveRows(SETTINGS, input, file);
  const settings = Object.freeze(Object.fromEntries(values)) as unknown as Settings;
  const isSet = (name: string): boolean => sources.get(name)?.from !== "default";
  const names = judgeNames(SETTINGS, namesFound(input.env, file), isSet);
  const from = (name: SettingName): string => sourceText(sources.get(name) ?? { from: "default", why: "" });
  // Values that could not be read are their defaults by now: judging those would only add noise.
  const cross = problems.length > 0 ? { problems: [], warnings: [] } : crossCheck(settings, input.machine, from);
  const all = [...(file?.problems ?? []), ...names.problems, ...problems, ...cross.problems];
  const resolved: Resolved = Object.freeze({
    settings,
    sources: Object.freeze(Object.fromEntries(sources)) as Resolved["sources"],
    warnings: [...(file?.warnings ?? []), ...names.warnings, ...cross.warnings],
    envFile: file?.path,
    hidden,
  });
  if (all.length > 0) throw new SettingsError(all, resolved);
  return resolved;
}

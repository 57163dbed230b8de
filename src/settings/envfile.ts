/** The env file: finding it, and reading it with the line of each name. Prints nothing and leaves process.env alone. */
import { resolve } from "node:path";
import { parse } from "dotenv";
import { errnoOf, messageOf } from "../base/errors.ts";
import { readText } from "../base/readtext.ts";
import { bytes } from "../base/units.ts";

export interface EnvEntry {
  readonly text: string;
  /** Counted from 1. */
  readonly line: number;
}

export interface EnvFile {
  readonly path: string;
  /** By name; of a name that stands there twice the last, as with dotenv. */
  readonly entries: ReadonlyMap<string, EnvEntry>;
  readonly warnings: readonly string[];
  /** What makes the file unusable, each with file:line. Never a line's content: it may be a secret. */
  readonly problems: readonly string[];
}

export type ReadFile = (path: string) => string;

/** More is no env file; and the grammar's regular expression takes quadratic time over blank lines. */
const LARGEST = bytes(65_536);
const MOST_LINES = 4_096;

/** @throws a system error, or Error when the file is no UTF-8, larger than any env file, or a pipe that is not written to. */
export const readEnvFile: ReadFile = (path) => readText(path, { most: LARGEST });

/** dotenv's own grammar of a statement (LINE in its source): it gives values without lines, so the lines are found with this. */
const STATEMENT =
  /^\s*(?:export\s+)?([\w.-]+)(?:\s*=\s*?|:\s+?)(\s*'(?:\\'|[^'])*'|\s*"(?:\\"|[^"])*"|\s*`(?:\\`|[^`])*`|[^#\r\n]+)?\s*(?:#.*)?$/dgm;

/** Line numbers of ascending positions: counted once over the text. */
function lineCounter(text: string): (index: number) => number {
  let [at, line] = [0, 1];
  return (index) => {
    for (; at < index; at += 1) if (text[at] === "\n") line += 1;
    return line;
  };
}

/** Offsets of the lines in a stretch that no statement covers and that are neither blank nor a comment. */
const strayLines = (stretch: string): number[] => stretch.split("\n").flatMap((line, i) => (/^\s*(?:#.*)?$/.test(line) ? [] : [i]));

/** What is wrong with the text after `NAME=`, given what follows it. */
function flaw(raw: string, rest: string): "broken" | "cut" | undefined {
  const value = raw.trim();
  if (/^['"`]/.test(value)) return value.length > 1 && value.endsWith(value.charAt(0)) ? undefined : "broken";
  return rest.startsWith("#") && !/\s$/.test(raw) ? "cut" : undefined;
}

/** @param content the file's text; a byte order mark and CRLF are fine. */
export function parseEnvFile(path: string, content: string): EnvFile {
  const text = content.replace(/^\uFEFF/, "").replace(/\r\n?/g, "\n");
  const unusable = (problem: string): EnvFile => ({ path, entries: new Map(), warnings: [], problems: [problem] });
  if (text.split("\n", MOST_LINES + 1).length > MOST_LINES) return unusable(`${path}: expected at most ${MOST_LINES} lines`);
  if (text.includes("\0")) return unusable(`${path}: expected a text file in UTF-8`);
  const values = parse(text);
  const entries = new Map<string, EnvEntry>();
  const [warnings, problems]: [string[], string[]] = [[], []];
  const lineAt = lineCounter(text);
  const stray = (from: number, to: number): void => {
    const first = lineAt(from);
    for (const offset of strayLines(text.slice(from, to)))
      problems.push(`${path}:${first + offset}: expected NAME=value, a comment or an empty line`);
  };
  let end = 0;
  for (const match of text.matchAll(STATEMENT)) {
    const [, name = "", raw = ""] = match;
    stray(end, match.index);
    const line = lineAt(match.indices?.[1]?.[0] ?? match.index);
    end = match.index + match[0].length;
    const [, nameEnd = end] = match.indices?.[1] ?? [];
    const valueEnd = match.indices?.[2]?.[1];
    const rest = valueEnd === undefined ? text.slice(nameEnd, end).replace(/^\s*[=:]/, "") : text.slice(valueEnd, end);
    const wrong = flaw(raw, rest);
    if (wrong === "broken")
      problems.push(`${path}:${line}: the quotes of ${name} don't match: expected the value to end with the quote it begins with`);
    if (wrong === "cut")
      warnings.push(`${path}:${line}: the value of ${name} ends at #, where a comment begins; quote it if # belongs to it`);
    const before = entries.get(name);
    if (before !== undefined) warnings.push(`${path}:${line}: ${name} stands there twice; this line replaces line ${before.line}`);
    if (Object.hasOwn(values, name)) entries.set(name, { text: values[name] ?? "", line });
  }
  stray(end, text.length);
  return { path, entries, warnings, problems };
}

interface Candidate {
  readonly path: string;
  /** Who named it; undefined: a place where we look anyway. */
  readonly namedBy: string | undefined;
}

export const SYSTEM_ENV_FILE = "/etc/drover/drover.env";

/** --env-file, else DROVER_ENV_FILE, else ./.env, else /etc/drover/drover.env. A named file is the only candidate. */
function candidates(
  named: { readonly flag: string | undefined; readonly variable: string | undefined },
  cwd: string,
): readonly Candidate[] {
  if (named.flag !== undefined) return [{ path: named.flag, namedBy: "--env-file" }];
  if (named.variable !== undefined) return [{ path: named.variable, namedBy: "DROVER_ENV_FILE in the environment" }];
  return [
    { path: resolve(cwd, ".env"), namedBy: undefined },
    { path: SYSTEM_ENV_FILE, namedBy: undefined },
  ];
}

const empty = (path: string, found: { readonly warnings?: string[]; readonly problems?: string[] }): EnvFile => ({
  path,
  entries: new Map(),
  warnings: found.warnings ?? [],
  problems: found.problems ?? [],
});

/**
 * Finds and reads the env file.
 * @returns undefined when none was named and none is there.
 */
export function loadEnvFile(
  named: { readonly flag: string | undefined; readonly variable: string | undefined },
  cwd: string,
  readFile: ReadFile = readEnvFile,
): EnvFile | undefined {
  for (const { path, namedBy } of candidates(named, cwd)) {
    if (path === "") return empty(path, { problems: [`${namedBy} is empty: expected the path of the env file (/dev/null for none)`] });
    const file = resolve(cwd, path);
    try {
      return parseEnvFile(file, readFile(file));
    } catch (thrown) {
      const errno = errnoOf(thrown);
      if (namedBy === undefined && (errno === "ENOENT" || errno === "ENOTDIR")) continue;
      const what = `the env file ${file} can't be read: ${messageOf(thrown)}`;
      // The service's own file is closed to other users: their commands still work, but they should know.
      if (file === SYSTEM_ENV_FILE && namedBy === undefined && errno === "EACCES") return empty(file, { warnings: [what] });
      return empty(file, { problems: [namedBy === undefined ? what : `${what} (named by ${namedBy})`] });
    }
  }
  return undefined;
}

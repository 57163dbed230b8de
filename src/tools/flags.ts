/** The flags of a tool: one row each, from which the parser, the values and the help follow. */
import { parseArgs } from "node:util";
import { DroverError, messageOf } from "../base/errors.ts";

export interface Flag<T = unknown> {
  /** Without dashes. */
  readonly name: string;
  /** The placeholder of its value in the help, such as `DIR`; absent: the flag is a switch. */
  readonly value?: string;
  /** Parsed when the flag is missing. */
  readonly default?: string;
  readonly help: string;
  /** @param flag the name with its dashes, for the error. @throws DroverError DROVER_E_USAGE. */
  parse?(text: string, flag: string): T;
}

type TypeOf<R extends Flag> = R extends Flag<infer T> ? T : never;
type Missing<R extends Flag> = R extends { readonly default: string } ? never : undefined;
/** By name: the parsed value, true or false for a switch, undefined for a flag without value and default. */
export type FlagValues<Rows extends readonly Flag[]> = {
  readonly [R in Rows[number] as R["name"]]: R["value"] extends string
    ? TypeOf<R> | Missing<R>
    : boolean;
};

/** @param texts the values of the given flags by name, such as `own` of settings/flags.ts. @throws DroverError. */
export function parsed<const Rows extends readonly Flag[]>(
  rows: Rows,
  texts: Readonly<Record<string, unknown>>,
): FlagValues<Rows> {
  const values = rows.map(({ name, value, default: missing, parse }) => {
    if (value === undefined) return [name, texts[name] !== undefined];
    const text = texts[name] ?? missing;
    if (typeof text !== "string" || parse === undefined) return [name, text];
    return [name, parse(text, `--${name}`)];
  });
  return Object.fromEntries(values) as FlagValues<Rows>;
}

/** For a command that takes these flags only. @throws DroverError DROVER_E_USAGE, which names the command. */
export function readFlags<const Rows extends readonly Flag[]>(
  command: string,
  rows: Rows,
  argv: readonly string[],
): FlagValues<Rows> {
  const type = ({ value }: Flag) => (value === undefined ? "boolean" : "string");
  const options = Object.fromEntries(rows.map((row) => [row.name, { type: type(row) } as const]));
  try {
    return parsed(rows, parseArgs({ args: [...argv], options }).values);
  } catch (e) {
    if (e instanceof DroverError) throw e;
    throw new DroverError("DROVER_E_USAGE", `${command}: ${messageOf(e)}`, { cause: e });
  }
}

export const usageOf = ({ name, value }: Flag): string =>
  value === undefined ? `--${name}` : `--${name} ${value}`;
export const meaningOf = ({ help, default: missing }: Flag): string =>
  missing === undefined ? help : `${help} (${missing})`;

import type { Machine } from "./machine.ts";

/** `problem` completes "expected …". `hide`: the text may hold a secret and must not be repeated in an error. */
export type Parsed<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly problem: string; readonly hide: boolean };

export const parsed = <T>(value: T): Parsed<T> => ({ ok: true, value });
export const expected = (problem: string, hide = false): Parsed<never> => ({ ok: false, problem, hide });

/** How a value is written and read. `parse(format(v))` gives `v` again. */
export interface Codec<T> {
  /** What a value looks like: for the reference page and --help. */
  readonly looksLike: string;
  /** @param cwd what relative paths are relative to. */
  parse(text: string, cwd: string): Parsed<T>;
  format(value: T): string;
  /** What the flag means when it stands alone (`--access-log`); undefined: it needs a value. */
  readonly alone?: string;
  /** A list: the flag may be repeated. */
  readonly repeats?: true;
}

/** live: applied at once. roll: reaches the next generation of children, which every reload starts. restart: a reload keeps the old value. */
export type Reload = "live" | "roll" | "restart";

/** Groups in the order of the reference page. */
export const GROUPS = [
  "listen",
  "workers",
  "timeouts",
  "sheets",
  "application",
  "sessions",
  "limits",
  "alerts",
  "admin",
  "places",
  "log",
  "demo",
] as const;
export type Group = (typeof GROUPS)[number];

/** What a computed default may depend on. */
export interface Situation {
  readonly machine: Machine;
  readonly env: NodeJS.ProcessEnv;
  /** Values of the rows above in the table. */
  readonly earlier: ReadonlyMap<string, unknown>;
}

export interface ComputedDefault {
  /** The rule in words: for the reference page. */
  readonly rule: string;
  /** A value to start from: for .env.example. */
  readonly example: string;
  /** The value as an operator would write it, and why it came out so. */
  from(situation: Situation): { readonly text: string; readonly why: string };
}

/** A name people already have in their files. */
export interface Alias {
  readonly name: string;
  /** Turns the alias's own notation into the row's (`120` → `120s`). Absent: the same notation. */
  translate?(text: string): Parsed<string>;
  /** The difference in notation, for the reference page. */
  readonly notation?: string;
}

/** One row of the table. Flag, variable, type, help and reference page follow from it. */
export interface Setting<Name extends string, T> {
  readonly name: Name;
  readonly group: Group;
  readonly codec: Codec<T>;
  /** Text as an operator would write it, so that it goes through the same parser. */
  readonly default: string | ComputedDefault;
  readonly reload: Reload;
  /** One sentence. */
  readonly help: string;
  readonly notes?: string;
  readonly aliases?: readonly Alias[];
  /** Only where the world already has a name for it; else DROVER_<NAME>. */
  readonly variable?: string;
  /** Never printed. */
  readonly secret?: true;
  /** Names by which people mean this row: not read, but answered with its right name. */
  readonly lookalikes?: readonly string[];
}

export type AnySetting = Setting<string, unknown>;

export const setting = <const Name extends string, T>(row: Setting<Name, T>): Setting<Name, T> => Object.freeze(row);

/** `graceful_timeout` → `DROVER_GRACEFUL_TIMEOUT`. */
export const variableOf = (row: Pick<AnySetting, "name" | "variable">): string => row.variable ?? `DROVER_${row.name.toUpperCase()}`;
/** `graceful_timeout` → `--graceful-timeout`. */
export const flagOf = (row: Pick<AnySetting, "name">): string => `--${row.name.replaceAll("_", "-")}`;

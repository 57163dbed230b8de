import { readFileSync } from "node:fs";
import { join } from "node:path";
import { ownPath } from "../../base/place.ts";
import type { Machine } from "../../settings/machine.ts";
import type { Settings } from "../../settings/table.ts";
import { fill, type Values } from "./fill.ts";
import type { EmittedFile } from "./write.ts";

/** The installation that an artefact describes: what `drover check` prints. */
export interface Facts {
  /** Resolved from the env file, the environment and the flags. */
  readonly settings: Settings;
  readonly machine: Machine;
  /** Absolute; undefined: no env file was found. */
  readonly envFile: string | undefined;
  /** The folder of bin, dist and node_modules. */
  readonly root: string;
  readonly version: string;
}

/** A flag of one artefact. */
export interface ArtefactOption {
  /** Without dashes; not the name of a setting. */
  readonly name: string;
  /** A placeholder for --help (`DIR`); absent: the flag stands alone. */
  readonly value?: string;
  readonly default?: string;
  readonly does: string;
}

/** By the option's name: the value, the default, "" for a flag that stands alone, undefined where nothing is set. */
export type OptionValues = Readonly<Record<string, string | undefined>>;

/** One row of `drover emit`: files for another program, generated from this installation's settings. */
export interface Artefact {
  readonly name: string;
  /** One line for `drover emit --help`. */
  readonly does: string;
  readonly options?: readonly ArtefactOption[];
  /**
   * Pure. No secret of the settings may get into a file.
   * @returns files with paths relative to --output.
   * @throws DroverError for a value of an option or setting that the artefact cannot use.
   */
  files(facts: Facts, options: OptionValues): readonly EmittedFile[];
  /** The commands to run next, and what no test has checked. @param paths of the files, as they were written. */
  next(paths: readonly string[], facts: Facts): string;
}

/** The values of options that are not set. */
export const defaultsOf = ({ options = [] }: Artefact): OptionValues =>
  Object.fromEntries(options.map(({ name, ...o }) => [name, o.default]));

/** The first line of every artefact, without the comment sign of its format. */
export const writtenBy = (name: string, { version }: Pick<Facts, "version">): string =>
  `Written by \`drover emit ${name}\` (drover ${version}).`;

/**
 * Fills config/emit/TEMPLATE. The hole @WRITTEN_BY@ needs no value.
 * @param name of the artefact.
 */
export function fillTemplate(template: string, name: string, facts: Facts, values: Values): string {
  const path = join("config", "emit", template);
  return fill(readFileSync(join(ownPath(""), path), "utf8"), { WRITTEN_BY: writtenBy(name, facts), ...values }, path);
}

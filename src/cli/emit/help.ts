import type { Artefact, ArtefactOption } from "./artefact.ts";
import { allArtefacts } from "./artefacts.ts";

type Line = readonly [string, string];

const COMMON: readonly Line[] = [
  ["--output DIR", "the folder to write to (.)"],
  ["--dry-run", "print the files, write nothing"],
  ["--force", "overwrite files that exist and differ"],
];

/** systemd.ts parses these itself. */
const SYSTEMD: readonly Line[] = [
  ["systemd", "units, user and folder rules, log rotation; with flags of its own"],
  ["  --prefix DIR", "where the files go (/etc)"],
  ["  --root DIR", "a root above the prefix (/)"],
  ["  --bind LIST", "the socket unit's addresses (127.0.0.1:8080)"],
  ["  --systemd-version N", "for another machine (the version found here)"],
];

/** How an option is written on a command line. */
export const optionText = ({ name, value }: ArtefactOption): string => `--${name}${value === undefined ? "" : ` ${value}`}`;

const linesOf = ({ name, does, options = [] }: Artefact): Line[] => [
  [name, does],
  ...options.map((option): Line => [
    `  ${optionText(option)}`,
    `${option.does}${option.default === undefined ? "" : ` (${option.default})`}`,
  ]),
];

/** What `drover emit --help` says: the common flags, then every artefact with its own. */
export const emitHelp = async (): Promise<readonly Line[]> => [...COMMON, ...SYSTEMD, ...(await allArtefacts()).flatMap(linesOf)];

/** `drover emit NAME`: writes files for other programs, generated from this installation's settings. */
import { resolve } from "node:path";
import { DroverError } from "../../base/errors.ts";
import { EXIT } from "../../base/exit.ts";
import { readOptions } from "../../cli/options.ts";
import { nearest } from "../../settings/nearest.ts";
import { meaningOf, usageOf, type Flag } from "../flags.ts";
import { ARTEFACTS, type Artefact } from "./artefacts.ts";
import { installationOf } from "./installation.ts";
import { emitted } from "./render.ts";
import { emitSystemd, SYSTEMD_FLAGS } from "./systemd.ts";
import { writeAll, type Refusal } from "./write.ts";

const COMMON: readonly Flag[] = [
  { name: "output", value: "DIR", default: ".", help: "the folder to write to" },
  { name: "dry-run", help: "print the files, write nothing" },
  { name: "force", help: "overwrite files that exist and differ" },
];
const SYSTEMD = "systemd";
const usage = (message: string): DroverError => new DroverError("DROVER_E_USAGE", message);

/** @returns the exit code. @throws DroverError DROVER_E_USAGE for an unknown name or flag, or a file that would be overwritten. */
export async function emit(argv: readonly string[]): Promise<number> {
  const [name, ...rest] = argv;
  if (name === SYSTEMD) return emitSystemd(rest);
  const names = [SYSTEMD, ...Object.keys(ARTEFACTS)];
  const list = `(expected one of ${names.join(", ")}. drover emit --help explains them)`;
  if (name === undefined) throw usage(`drover emit: no name ${list}`);
  const artefact = Object.hasOwn(ARTEFACTS, name) ? ARTEFACTS[name] : undefined;
  if (artefact !== undefined) return emitArtefact(name, artefact, rest);
  const near = nearest(name, names);
  throw usage(
    `drover emit ${name}: unknown${near === undefined ? "" : `, did you mean ${near}?`} ${list}`,
  );
}

function emitArtefact(name: string, artefact: Artefact, argv: readonly string[]): number {
  const rows = [...COMMON, ...(artefact.options ?? [])];
  const line = readOptions(
    argv,
    rows.map((row) => ({ name: row.name, ...(row.value !== undefined && { takes: "value" }) })),
  );
  const [surplus] = line.positional;
  if (surplus !== undefined)
    throw usage(
      `drover emit ${name}: ${JSON.stringify(surplus)} is not a flag. drover emit --help lists the flags`,
    );
  for (const warning of line.resolved.warnings) process.stderr.write(`warning: ${warning}\n`);
  const installation = installationOf(line.resolved, line.machine);
  const { files, next } = emitted(name, artefact, installation, Object.fromEntries(line.own));
  const output = resolve(line.own.get("output") ?? ".");
  const placed = files.map((file) => ({ ...file, path: resolve(output, file.path) }));
  if (line.own.has("dry-run")) {
    process.stdout.write(placed.map(({ path, text }) => `# ${path}\n${text}`).join("\n"));
    return EXIT.done.code;
  }
  const outcomes = writeAll(placed, line.own.has("force") ? () => undefined : edited);
  const lines = placed.map(({ path }, i) => `${outcomes[i]} ${path}\n`);
  process.stdout.write(lines.join("") + next(placed.map(({ path }) => path)));
  return EXIT.done.code;
}

/** Operators edit what they emit: a file with another text stays. */
const edited: Refusal = ({ path }) =>
  `${path} exists and differs. --force overwrites it, --output DIR writes elsewhere, --dry-run prints`;

type HelpLine = readonly [string, string];
const helpOf = (name: string, summary: string, flags: readonly Flag[]): HelpLine[] => [
  [name, summary],
  ...flags.map((flag): HelpLine => [`  ${usageOf(flag)}`, meaningOf(flag)]),
];

/** For `drover emit --help`: the common flags, then every artefact with its own. */
export const emitHelp = (): readonly HelpLine[] => [
  ...COMMON.map((flag): HelpLine => [usageOf(flag), meaningOf(flag)]),
  ...helpOf(
    SYSTEMD,
    "units, user and folder rules, log rotation; with flags of its own",
    SYSTEMD_FLAGS,
  ),
  ...Object.entries(ARTEFACTS).flatMap(([name, { summary, options = [] }]) =>
    helpOf(name, summary, options),
  ),
];

/** `drover emit NAME`: writes files for other programs, generated from this installation's settings. */
import { resolve } from "node:path";
import { DroverError } from "../base/errors.ts";
import { EXIT } from "../base/exit.ts";
import { nearest } from "../settings/nearest.ts";
import { defaultsOf, type Artefact, type OptionValues } from "./emit/artefact.ts";
import { ARTEFACTS } from "./emit/artefacts.ts";
import { factsOf } from "./emit/facts.ts";
import { emitSystemd } from "./emit/systemd.ts";
import { writeAll, type EmittedFile } from "./emit/write.ts";
import { readOptions } from "./options.ts";

const SYSTEMD = "systemd";

/** @returns the exit code. @throws DroverError DROVER_E_USAGE for an unknown name or flag, or a file that would be overwritten. */
export async function emit(argv: readonly string[]): Promise<number> {
  const [name, ...rest] = argv;
  if (name === SYSTEMD) return emitSystemd(rest);
  const names = [SYSTEMD, ...Object.keys(ARTEFACTS)];
  const list = `${names.join(", ")}. drover emit --help explains them`;
  if (name === undefined) throw usage(`drover emit: no name (expected one of ${list})`);
  const load = Object.hasOwn(ARTEFACTS, name) ? ARTEFACTS[name] : undefined;
  if (load !== undefined) return emitArtefact(await load(), rest);
  const near = nearest(name, names);
  throw usage(`drover emit ${name}: unknown${near === undefined ? "" : `, did you mean ${near}?`} (expected one of ${list})`);
}

function emitArtefact(artefact: Artefact, argv: readonly string[]): number {
  const { own, options, resolved, machine } = readLine(artefact, argv);
  for (const warning of resolved.warnings) process.stderr.write(`warning: ${warning}\n`);
  const facts = factsOf(resolved, machine);
  const output = resolve(own.get("output") ?? ".");
  const files = artefact.files(facts, options).map((file) => ({ ...file, path: resolve(output, file.path) }));
  if (own.has("dry-run")) {
    process.stdout.write(files.map(({ path, text }) => `# ${path}\n${text}`).join("\n"));
    return EXIT.done.code;
  }
  const done = writeAll(files, own.has("force") ? replace : refuse);
  const lines = files.map(({ path }, i) => `${done[i]} ${path}\n`);
  const paths = files.map(({ path }) => path);
  process.stdout.write(`${lines.join("")}${artefact.next(paths, facts).trimEnd()}\n`);
  return EXIT.done.code;
}

function readLine(artefact: Artefact, argv: readonly string[]) {
  const { name, options = [] } = artefact;
  const line = readOptions(argv, [
    { name: "output", takes: "value" },
    { name: "dry-run" },
    { name: "force" },
    ...options.map((option) => ({ name: option.name, ...(option.value === undefined ? {} : { takes: "value" as const }) })),
  ]);
  const [surplus] = line.positional;
  if (surplus !== undefined)
    throw usage(`drover emit ${name}: ${JSON.stringify(surplus)} is not a flag. drover emit --help lists the flags`);
  const given = options.flatMap((option) => [...line.own].filter(([flag]) => flag === option.name));
  const values: OptionValues = { ...defaultsOf(artefact), ...Object.fromEntries(given) };
  return { ...line, options: values };
}

/** A file that exists with another text stays, whoever wrote it: operators edit what they emit. */
function refuse({ path, text }: EmittedFile, before: string): string | undefined {
  if (before === text) return undefined;
  return `${path} exists and differs. --force overwrites it, --output DIR writes elsewhere, --dry-run prints`;
}

const replace = (): undefined => undefined;

const usage = (message: string): DroverError => new DroverError("DROVER_E_USAGE", message);

/** `drover checklist`: the launch checklist, its proofs and the operator's ticks. */
import { hostname } from "node:os";
import { DroverError, errnoOf, messageOf } from "../../base/errors.ts";
import { EXIT } from "../../base/exit.ts";
import { readText } from "../../base/readtext.ts";
import type { Timestamp } from "../../base/units.ts";
import { writeFile } from "../output-file.ts";
import { readSettingsOfCaller } from "../../cli/options.ts";
import { printable } from "../../cli/terminal/printable.ts";
import { nearest } from "../../settings/nearest.ts";
import { collect } from "./facts.ts";
import { CHECKLIST_USAGE } from "./help.ts";
import { evaluate, isOpen, ITEMS, PHASES, type Item } from "./items.ts";
import { LONGEST_NOTE, record, type NewEntry } from "./records.ts";
import { HEADING, renderMarkdown, renderText } from "./render.ts";

const FLAGS = [
  { name: "phase", takes: "value" },
  { name: "note", takes: "value" },
  { name: "markdown" },
] as const;
type Flags = ReadonlyMap<string, string>;
const usage = (message: string): DroverError => new DroverError("DROVER_E_USAGE", message);

/** @returns 0 when no item is open, else 1. @throws DroverError DROVER_E_USAGE, DROVER_E_DATA_DIR. */
export async function checklist(argv: readonly string[]): Promise<number> {
  const { own, positional, resolved } = readSettingsOfCaller(argv, FLAGS);
  const [verb, ...more] = positional;
  if (verb === "tick" || verb === "untick") {
    if (more.length === 0 || own.has("phase") || own.has("markdown"))
      throw usage(`usage: drover checklist ${verb} ITEM …`);
    return tick(verb, more.map(itemOf), own, resolved.settings.data_dir);
  }
  if (own.has("note")) throw usage("--note goes with tick: drover checklist tick ITEM --note TEXT");
  if (more.length > 0 || (verb !== undefined && !own.has("markdown")))
    throw usage(`usage: drover checklist ${CHECKLIST_USAGE}`);
  const phase = own.get("phase");
  if (phase !== undefined && !PHASES.some((one) => one === phase))
    throw usage(`--phase ${phase}: expected ${PHASES.join(", ")}`);
  const facts = await collect(argv, FLAGS, resolved.settings);
  const items = evaluate(facts).filter((item) => phase === undefined || item.phase === phase);
  const text = own.has("markdown")
    ? renderMarkdown(items, facts, hostname())
    : renderText(items, facts);
  if (verb !== undefined) write(verb, text);
  process.stdout.write(verb === undefined ? text : `${verb} is written\n`);
  return items.some(isOpen) ? EXIT.rolledBack.code : EXIT.done.code;
}

function itemOf(id: string): Item {
  const item = ITEMS.find((one) => one.id === id);
  if (item !== undefined) return item;
  const ids = ITEMS.map((one) => one.id);
  throw usage(
    `the checklist has no item ${JSON.stringify(id)}: did you mean ${nearest(id, ids) ?? ids.join(", ")}?`,
  );
}

function tick(verb: "tick" | "untick", items: readonly Item[], own: Flags, dir: string): number {
  const note = printable(own.get("note") ?? "").trim();
  if (verb === "untick" && note !== "") throw usage("--note goes with tick");
  if (note.length > LONGEST_NOTE)
    throw usage(`--note has ${note.length} characters (expected at most ${LONGEST_NOTE})`);
  const automatic = items.find(({ byOperator }) => byOperator !== true);
  if (verb === "tick" && automatic !== undefined && note === "")
    throw usage(
      `${automatic.id} is checked by drover itself (${automatic.prove}): to close it by hand say why, with --note TEXT`,
    );
  const by = process.env["SUDO_USER"] ?? process.env["USER"] ?? `uid ${process.getuid?.() ?? "?"}`;
  const entries = items.map(({ id: item }): NewEntry =>
    verb === "tick" ? { kind: verb, item, by, note } : { kind: verb, item, by },
  );
  const problem = record(dir, entries, Date.now() as Timestamp);
  if (problem !== undefined) throw new DroverError("DROVER_E_DATA_DIR", problem);
  process.stdout.write(items.map(({ id }) => `${id} is ${verb}ed\n`).join(""));
  return EXIT.done.code;
}

/** Replaces a former export, and no other file. @throws DroverError DROVER_E_USAGE. */
function write(file: string, text: string): void {
  try {
    const before = readText(file);
    if (before !== "" && !before.startsWith(HEADING))
      throw usage(`${file} is there already, and is no checklist: choose another name`);
  } catch (error) {
    if (error instanceof DroverError) throw error;
    if (errnoOf(error) !== "ENOENT") throw usage(`${file} can't be written: ${messageOf(error)}`);
  }
  try {
    writeFile(file, text);
  } catch (error) {
    throw usage(`${file} can't be written: ${messageOf(error)}`);
  }
}

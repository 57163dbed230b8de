/** `drover checklist`: what is to be done before, during and after a launch, and what of it is proven. */
import { hostname } from "node:os";
import { DroverError, errnoOf, messageOf } from "../../base/errors.ts";
import { EXIT } from "../../base/exit.ts";
import { readText } from "../../base/readtext.ts";
import type { Timestamp } from "../../base/units.ts";
import { nearest } from "../../settings/nearest.ts";
import type { Settings } from "../../settings/table.ts";
import { writeWhole } from "../load/files.ts";
import { readSettingsOfCaller } from "../options.ts";
import { jsonText, printable } from "../terminal/printable.ts";
import { evaluate, isOpen } from "./evaluate.ts";
import { gather } from "./gather.ts";
import { CHECKLIST_USAGE } from "./help.ts";
import { itemOf, ITEMS, PHASES, type Item, type Phase } from "./items.ts";
import { LONGEST_NOTE, recordEntries, type NewEntry } from "./records.ts";
import { checklistJson, HEADING, renderMarkdown, renderText } from "./render.ts";

const FLAGS = [{ name: "phase", takes: "value" }, { name: "note", takes: "value" }, { name: "markdown" }, { name: "json" }] as const;
const usage = (message: string): DroverError => new DroverError("DROVER_E_USAGE", message);

export async function checklist(argv: readonly string[]): Promise<number> {
  const { own, positional, resolved } = readSettingsOfCaller(argv, FLAGS);
  const [verb, ...more] = positional;
  if (verb === "tick" || verb === "untick") {
    const foreign = ["phase", "markdown", "json"].find((flag) => own.has(flag));
    if (more.length === 0 || foreign !== undefined) throw usage(`usage: drover checklist ${verb} ITEM …`);
    return tick(verb, more.map(known), own, resolved.settings);
  }
  if (own.has("note")) throw usage("--note goes with tick: drover checklist tick ITEM --note TEXT");
  if (more.length > 0 || (verb !== undefined && !own.has("markdown"))) throw usage(`usage: drover checklist ${CHECKLIST_USAGE}`);
  if (own.has("json") && own.has("markdown")) throw usage("--json or --markdown, not both");
  return await show(argv, verb, own, resolved.settings);
}

/** @throws DroverError DROVER_E_USAGE with the nearest item. */
function known(id: string): Item {
  const item = itemOf(id);
  if (item !== undefined) return item;
  const close =
    nearest(
      id,
      ITEMS.map((one) => one.id),
    ) ?? "";
  throw usage(`the checklist has no item ${JSON.stringify(id)}: did you mean ${close}?`);
}

function tick(verb: "tick" | "untick", items: readonly Item[], own: ReadonlyMap<string, string>, { data_dir: dir }: Settings): number {
  const note = printable(own.get("note") ?? "").trim();
  if (verb === "untick" && note !== "") throw usage("--note goes with tick");
  if (note.length > LONGEST_NOTE) throw usage(`--note has ${note.length} characters (expected at most ${LONGEST_NOTE})`);
  const checked = items.find((item) => item.by === "machine");
  if (verb === "tick" && checked !== undefined && note === "")
    throw usage(`${checked.id} is checked by drover itself (${checked.prove}): to close it by hand say why, with --note TEXT`);
  const by = process.env["SUDO_USER"] ?? process.env["USER"] ?? `uid ${process.getuid?.() ?? "?"}`;
  const entries = items.map(({ id }): NewEntry => (verb === "tick" ? { kind: verb, item: id, by, note } : { kind: verb, item: id, by }));
  const recorded = recordEntries(dir, entries, Date.now() as Timestamp);
  if (recorded.is === "nowhere")
    throw new DroverError(
      "DROVER_E_DATA_DIR",
      `there is no data directory ${dir} (DROVER_DATA_DIR): run it in the daemon's folder, with its settings`,
    );
  if (recorded.is === "failed") throw new DroverError("DROVER_E_DATA_DIR", recorded.why);
  process.stdout.write(items.map(({ id }) => `${id} is ${verb}ed\n`).join(""));
  return EXIT.done.code;
}

async function show(
  argv: readonly string[],
  file: string | undefined,
  own: ReadonlyMap<string, string>,
  settings: Settings,
): Promise<number> {
  const phase = phaseOf(own.get("phase"));
  const facts = await gather(argv, FLAGS, settings);
  const items = evaluate(facts).filter((item) => phase === undefined || item.phase === phase);
  const markdown = own.has("markdown") ? renderMarkdown(items, facts, hostname()) : undefined;
  if (markdown !== undefined && file !== undefined) {
    write(file, markdown);
    process.stdout.write(`${file} is written\n`);
  } else process.stdout.write(markdown ?? (own.has("json") ? `${jsonText(checklistJson(items, facts), 2)}\n` : renderText(items, facts)));
  return items.some(isOpen) ? EXIT.rolledBack.code : EXIT.done.code;
}

function phaseOf(given: string | undefined): Phase | undefined {
  if (given === undefined) return undefined;
  const phase = PHASES.find((one) => one === given);
  if (phase === undefined) throw usage(`--phase ${given}: expected ${PHASES.join(", ")}`);
  return phase;
}

/** Over a former export, and over nothing else. @throws DroverError DROVER_E_USAGE. */
function write(file: string, text: string): void {
  let before = HEADING;
  try {
    before = readText(file);
  } catch (error) {
    if (errnoOf(error) !== "ENOENT") throw usage(`${file} can't be written: ${messageOf(error)}`);
  }
  if (before !== "" && !before.startsWith(HEADING)) throw usage(`${file} is there already, and is no checklist: choose another name`);
  try {
    writeWhole(file, text);
  } catch (error) {
    throw usage(`${file} can't be written: ${messageOf(error)}`);
  }
}

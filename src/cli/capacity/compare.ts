/** `drover compare`: two plans or two load runs, side by side. */
import { DroverError } from "../../base/errors.ts";
import { EXIT } from "../../base/exit.ts";
import { compared, readSides, renderComparison } from "../../plan/compare.ts";
import { parseFlags } from "../../settings/flags.ts";
import { jsonText, printableJson, printableLines } from "../terminal/printable.ts";
import { readFile } from "./files.ts";

/** @throws DroverError DROVER_E_USAGE unless two files are named that can be compared. */
export function compare(argv: readonly string[]): Promise<number> {
  const { positional, own } = parseFlags(argv, [], [{ name: "json" }]);
  const [before, after, ...others] = positional;
  if (before === undefined || after === undefined || others.length > 0)
    throw new DroverError("DROVER_E_USAGE", "drover compare takes two files: drover compare before.json after.json");
  const sides = readSides([readFile("", before), readFile("", after)], [before, after]);
  const rows = compared(sides).map(({ name, before: was, after: is }) => ({ name, before: was ?? null, after: is ?? null }));
  const json = { format: "drover-comparison", version: 1, files: [before, after], rows };
  process.stdout.write(own.has("json") ? `${jsonText(printableJson(json), 2)}\n` : printableLines(renderComparison(sides)));
  return Promise.resolve(EXIT.done.code);
}

/** What `drover check` prints. */
import type { Resolved } from "./resolve.ts";
import { printable, sourceText } from "./source.ts";
import { SETTINGS } from "./table.ts";

/** Lines of cells, the columns aligned; nothing trails. */
function aligned(lines: readonly (readonly string[])[], longest: number): string {
  const widths = lines.reduce<number[]>((w, cells) => cells.map((cell, i) => Math.max(w[i] ?? 0, Math.min(cell.length, longest))), []);
  return lines
    .map(
      (cells) =>
        `${cells
          .map((cell, i) => cell.padEnd(widths[i] ?? 0))
          .join("  ")
          .trimEnd()}\n`,
    )
    .join("");
}

/** Every setting with its value (secrets `***`, nothing `""`) and its source, and the env file. */
export function renderCheck(resolved: Resolved): string {
  const rows = SETTINGS.map((row) => [
    row.name,
    printable(row, resolved.settings[row.name]) || '""',
    sourceText(resolved.sources[row.name]),
  ]);
  return `env file: ${resolved.envFile ?? "none"}\n\n${aligned(rows, 48)}`;
}

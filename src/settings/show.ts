/** What `drover check` prints. */
import { columns } from "../base/columns.ts";
import type { Resolved } from "./resolve.ts";
import { printable, sourceText } from "./source.ts";
import { SETTINGS } from "./table.ts";

/** Every setting with its value (secrets `***`, nothing `""`) and its source, and the env file. */
export function renderCheck(resolved: Resolved): string {
  const rows = SETTINGS.map((row) => [
    row.name,
    printable(row, resolved.settings[row.name]) || '""',
    sourceText(resolved.sources[row.name]),
  ]);
  return `env file: ${resolved.envFile ?? "none"}\n\n${columns(rows, 48)}`;
}

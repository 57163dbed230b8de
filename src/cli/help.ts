import { SIGNALS } from "../master/shell/signals.ts";
import { renderHelp } from "../settings/reference.ts";
import { COMMANDS } from "./commands.ts";

const pad = (text: string, width: number): string => text.padEnd(width);

/** The text of `drover --help`, or of one command's. */
export function help(command: string | undefined): string {
  const row = COMMANDS.find((c) => c.name === command);
  if (row !== undefined && row.name !== "serve")
    return `usage: drover ${row.name} ${row.usage}\n\n  ${row.does}\n${row.flags === undefined ? "" : `\n${row.flags.map(([flag, means]) => `  ${pad(flag, 22)} ${means}`).join("\n")}\n`}\nAll commands read the same settings: drover --help lists them.\n`;
  const commands = COMMANDS.map((c) => `  ${pad(`${c.name} ${c.usage}`, 34)} ${c.does}`).join("\n");
  const signals = SIGNALS.map((s) => `  ${pad(s.signal, 10)} ${s.does}`).join("\n");
  return `usage: drover [COMMAND] [APP] [--SETTING VALUE …]\n\nCommands:\n${commands}\n\nSignals to the daemon:\n${signals}\n\nSettings (flag; the variable is DROVER_ and the name in capitals):\n${renderHelp()}`;
}

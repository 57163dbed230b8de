import { SIGNALS } from "../master/shell/signals.ts";
import { renderHelp } from "../settings/reference.ts";
import { COMMANDS, type CommandRow } from "./commands.ts";

const pad = (text: string, width: number): string => text.padEnd(width);

/** The text of `drover --help`, or of one command's. */
export async function help(command: string | undefined): Promise<string> {
  const row = COMMANDS.find((c) => c.name === command);
  if (row !== undefined && row.name !== "serve") return helpOf(row);
  const commands = COMMANDS.map((c) => `  ${pad(`${c.name} ${c.usage}`, 34)} ${c.does}`).join("\n");
  const signals = SIGNALS.map((s) => `  ${pad(s.signal, 10)} ${s.does}`).join("\n");
  return `usage: drover [COMMAND] [APP] [--SETTING VALUE …]\n\nCommands:\n${commands}\n\nSignals to the daemon:\n${signals}\n\nSettings (flag; the variable is DROVER_ and the name in capitals):\n${renderHelp()}`;
}

async function helpOf({ name, usage, does, flags = [] }: CommandRow): Promise<string> {
  const rows = typeof flags === "function" ? await flags() : flags;
  const lines = rows.map(([flag, means]) => `  ${pad(flag, 22)} ${means}\n`).join("");
  return `usage: drover ${name} ${usage}\n\n  ${does}\n${lines === "" ? "" : `\n${lines}`}\nAll commands read the same settings: drover --help lists them.\n`;
}

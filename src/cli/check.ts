/** `drover check`: what every setting is and why, and what strangers could read. Exit 78 when anything is wrong. */
import { readFileSync } from "node:fs";
import { DroverError, messageOf } from "../base/errors.ts";
import { EXIT } from "../base/exit.ts";
import { SCHEMA } from "../broker/journal/database.ts";
import { judgeJournal } from "../broker/journal/inspect.ts";
import { demoIsOn } from "../settings/demo.ts";
import { renderCheck } from "../settings/show.ts";
import { strangersMayRead, parseTables } from "../sheets/tables.ts";
import { readOptions } from "./options.ts";
import { makePlan, type Plan } from "./plan.ts";

export async function check(argv: readonly string[]): Promise<number> {
  const { resolved, machine } = readOptions(argv, [], (positional) => positional[0]);
  const { settings } = resolved;
  process.stdout.write(renderCheck(resolved));
  const underSystemd = process.env["INVOCATION_ID"] !== undefined && process.env["JOURNAL_STREAM"] !== undefined;
  const demo = demoIsOn(settings, { command: "serve", underSystemd, container: machine.container, app: settings.app });
  const plan = makePlan({ generation: 1, settings, demo, emulatorUrl: undefined });
  process.stdout.write(`\ndemo: ${demo ? "on (the sample workbook, in the embedded emulator)" : "off"}\n`);
  if (plan.app === undefined) process.stdout.write(visibility(plan));
  process.stdout.write(journal(plan));
  for (const warning of resolved.warnings) process.stderr.write(`warning: ${warning}\n`);
  return EXIT.done.code;
}

/** @throws DroverError when a broker would refuse the journal that is there. */
function journal({ settings, spreadsheetId }: Plan): string {
  const seen = judgeJournal(settings.data_dir, spreadsheetId);
  if (seen === undefined) return `journal: none in ${settings.data_dir} yet\n`;
  const { schema, spreadsheet = "nobody's yet", waiting } = seen;
  const older = schema < SCHEMA ? `, which a start makes into ${SCHEMA}, after a copy` : "";
  return `journal: for ${spreadsheet}, ${waiting} write${waiting === 1 ? "" : "s"} waiting (schema ${schema}${older})\n`;
}

/** @throws DroverError when the tables file or the key file can't be used. */
function visibility(plan: Plan): string {
  if (plan.keyFile !== undefined && !plan.demo) readable(plan.keyFile, "GOOGLE_APPLICATION_CREDENTIALS", "DROVER_E_CREDENTIALS");
  if (plan.tablesFile === undefined)
    return "tables: every tab is one, and all are private until a tables file (DROVER_TABLES) names them public\n";
  const text = readable(plan.tablesFile, "DROVER_TABLES", "DROVER_E_TABLES");
  const tables = parseTables(text, plan.tablesFile, plan.settings.cache_ttl);
  const open = strangersMayRead(tables);
  const lines = open.map(
    ({ table, may, hidden }) => `  ${table}: ${may.join(", ")}${hidden.length > 0 ? ` (hidden: ${hidden.join(", ")})` : ""}`,
  );
  return `tables: ${tables.length} in ${plan.tablesFile}\nstrangers may:${open.length === 0 ? " nothing" : `\n${lines.join("\n")}`}\n`;
}

function readable(file: string, setting: string, code: "DROVER_E_CREDENTIALS" | "DROVER_E_TABLES"): string {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    throw new DroverError(code, `${setting} is ${file}, which can't be read: ${messageOf(error)}`, { cause: error });
  }
}

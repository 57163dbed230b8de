/** `drover check`: prints every setting, what the public can read, and whether each table's tab exists. Exit 78 on an error. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { DroverError, messageOf } from "../base/errors.ts";
import { isRoot } from "../base/owner.ts";
import { readText } from "../base/readtext.ts";
import { EXIT } from "../base/exit.ts";
import { readServiceAccount } from "../broker/credentials.ts";
import { SCHEMA } from "../broker/journal/database.ts";
import { judgeJournal } from "../broker/journal/inspect.ts";
import { demoIsOn } from "../settings/demo.ts";
import { slotsForMemory } from "../base/slots.ts";
import { roughly } from "../settings/parsers.ts";
import { slotsOf } from "../settings/rows/limits.ts";
import { forecast } from "../tools/plan/model/forecast.ts";
import { crowdingLines } from "../tools/plan/print/render.ts";
import type { Machine } from "../settings/machine.ts";
import type { Resolved } from "../settings/resolve.ts";
import { renderCheck } from "../settings/show.ts";
import type { Settings } from "../settings/table.ts";
import { looksLikeCells, quoted } from "../sheets/a1.ts";
import { namedTables, strangersMayRead, parseTables } from "../sheets/tables.ts";
import { ACCOUNTS } from "../sheets/users.ts";
import type { Table } from "../sheets/types.ts";
import { accountOf, checkReadable } from "./account.ts";
import { settingsInput } from "../tools/plan/input.ts";
import { certificateText } from "./certificate.ts";
import { keyModeWarnings } from "./key-mode.ts";
import { readOptions, type Options } from "./options.ts";
import { makePlan, type Plan } from "./plan.ts";
import { keysOf, SESSION_KEY } from "./session-key.ts";
import { storeLine } from "./store-check.ts";
import { tabLine } from "./tab-check.ts";

export async function check(argv: readonly string[]): Promise<number> {
  const options = readOptions(argv, [{ name: "explain" }, { name: "offline" }], (positional) => positional[0]);
  const print = (text: string): void => void process.stdout.write(text);
  print(renderCheck(options.resolved));
  const { plan, tables, warnings } = inspect(options, "serve", print);
  for (const warning of warnings) process.stderr.write(`warning: ${warning}\n`);
  print(await storeLine(plan, options.own.has("offline")));
  if (usesTables(plan)) print(await tabLine(plan, tables, options.own.has("offline"))); // last: the rest needs no network
  return EXIT.done.code;
}

export interface Inspection {
  readonly plan: Plan;
  /** As the tables file has them; undefined: there is none. */
  readonly tables: ReturnType<typeof checkedTables>;
  readonly warnings: readonly string[];
}

const usesTables = (plan: Plan): boolean => plan.app === undefined || plan.spreadsheetId !== undefined;

/**
 * Looks at everything that a start would look at.
 * @param command by which the daemon is started: `npm start` turns the demo on. @param print gets what was found, as text.
 * @throws DroverError naming what a start would refuse.
 */
export function inspect(
  { resolved, machine }: Pick<Options, "resolved" | "machine">,
  command: "serve" | "start",
  print: (text: string) => void,
): Inspection {
  const { settings } = resolved;
  const underSystemd = process.env["INVOCATION_ID"] !== undefined && process.env["JOURNAL_STREAM"] !== undefined;
  const demo = demoIsOn(settings, { command, underSystemd, container: machine.container, app: settings.app });
  const plan = makePlan({ generation: 1, settings, demo, emulatorUrl: undefined });
  print(`\ndemo: ${demo ? "on (the sample workbook, in the embedded emulator)" : "off"}\n`);
  print(slots(settings));
  const account = accountOf(settings, true); // for any caller: root starts the daemon
  if (account !== undefined) {
    if (isRoot()) checkReadable(account, plan, resolved.envFile);
    const more = isRoot() ? "" : " when root starts it; as root, drover check also tries its files";
    print(`user: drover becomes ${account.name} (uid ${account.uid}, gid ${account.gid})${more}\n`);
  }
  const tables = usesTables(plan) ? checkedTables(plan) : undefined;
  if (plan.app === undefined) print(visibility(plan, tables));
  print(workersText(resolved, machine));
  print(journal(plan));
  print(sessions(settings));
  if (plan.certificate !== undefined) print(`${certificateText(plan.certificate)}\n`);
  return { plan, tables, warnings: [...resolved.warnings, ...(plan.certificate?.warnings ?? []), ...keyModeWarnings(plan)] };
}

/** What more workers than CPUs cost, as `drover plan` says it. */
export function workersText(resolved: Resolved, machine: Machine): string {
  const [first, ...rest] = crowdingLines(forecast(settingsInput({ resolved, machine })));
  return first === undefined ? "" : `workers: ${first}\n${rest.map((line) => `  ${line}\n`).join("")}`;
}

/** @throws DroverError when the keys of sessions that are there can't be used. None is made here: the service's user does that. */
function sessions({ session_key: set, data_dir: dir }: Settings): string {
  if (set === undefined && !existsSync(join(dir, SESSION_KEY))) return `sessions: by a key of their own, to be made in ${dir}\n`;
  const keys = set ?? keysOf(dir);
  const more = keys.length > 1 ? `; ${keys.length - 1} more open what it has not sealed` : "";
  return `sessions: by ${set === undefined ? join(dir, SESSION_KEY) : "DROVER_SESSION_KEY"}${more}\n`;
}

/** How many may be in, and what the memory is good for. */
function slots({ max_slots: max, memory }: Settings): string {
  const recommended = slotsForMemory(memory);
  const advice = max === "ram" ? "by the memory" : `${recommended} are recommended for ${roughly(memory)} of memory: DROVER_MAX_SLOTS=ram`;
  return `slots: ${slotsOf(max, memory)} (${advice})\n`;
}

/** @throws DroverError when a broker would refuse the journal that is there. */
function journal({ settings, spreadsheetId }: Plan): string {
  const seen = judgeJournal(settings.data_dir, spreadsheetId);
  if (seen === undefined) return `journal: none in ${settings.data_dir} yet\n`;
  const { schema, spreadsheet = "nobody's yet", waiting } = seen;
  const older = schema < SCHEMA ? `, which a start makes into ${SCHEMA}, after a copy` : "";
  return `journal: for ${spreadsheet}, ${waiting} write${waiting === 1 ? "" : "s"} waiting (schema ${schema}${older})\n`;
}

/** @returns undefined without a tables file. @throws DroverError when the tables file or the key file can't be used. */
function checkedTables({ keyFile, demo, tablesFile, settings }: Plan): readonly Table[] | undefined {
  // As the broker judges it: a start must find nothing wrong that a check has let through.
  if (keyFile !== undefined && !demo) readServiceAccount(keyFile);
  return tablesFile === undefined ? undefined : parseTables(tablesText(tablesFile), tablesFile, settings.cache_ttl);
}

function visibility(plan: Plan, tables: readonly Table[] | undefined): string {
  if (tables === undefined) return "tables: every tab is one, and all are private until a tables file (DROVER_TABLES) names them public\n";
  const open = strangersMayRead(tables);
  const lines = open.map(
    ({ table, may, hidden }) => `  ${table}: ${may.join(", ")}${hidden.length > 0 ? ` (hidden: ${hidden.join(", ")})` : ""}`,
  );
  const strangers = `strangers may:${open.length === 0 ? " nothing" : `\n${lines.join("\n")}`}\n`;
  return `tables: ${namedTables(tables).length} in ${plan.tablesFile}\n${titleLines(tables)}${loginLine(tables)}${strangers}`;
}

/** Ranges that look like cells of no tab in particular: they are titles of tabs. */
function titleLines(tables: readonly Table[]): string {
  const meant = namedTables(tables).filter(({ range }) => looksLikeCells(range));
  return meant
    .map(({ name, range }) => `  ${name}: range ${range} is the tab ${quoted(range)} (cells need their tab: 'TAB'!${range})\n`)
    .join("");
}

/** Who logs in by what, and whether anything is for them. */
function loginLine(tables: readonly Table[]): string {
  const named = namedTables(tables);
  const audiences = named.flatMap(({ name, read, append, update }) =>
    [read, append, update].every((who) => who === "nobody" || who === "public") ? [] : [name],
  );
  const users = tables.find(({ name }) => name === ACCOUNTS)?.accounts;
  if (users === undefined)
    return audiences.length === 0 ? "" : `login: none ("users" is not in the file), so nobody is let in to ${audiences.join(", ")}\n`;
  const { name, secret, role } = users;
  return `login: by "${name}" and the hidden "${secret}"${role === undefined ? "" : `, roles in "${role}"`}; for: ${audiences.join(", ") || "no table yet"}\n`;
}

function tablesText(file: string): string {
  try {
    return readText(file);
  } catch (error) {
    throw new DroverError("DROVER_E_TABLES", `DROVER_TABLES is ${file}, which can't be read: ${messageOf(error)}`, { cause: error });
  }
}

/** The commands of drover, in one table: the dispatcher, --help and the documentation follow from it. */

import { PLAN_HELP } from "../tools/plan/help.ts";
import { CHECKLIST_HELP, CHECKLIST_USAGE } from "../tools/checklist/help.ts";
import { DRILL_HELP, DRILL_USAGE } from "./drill/help.ts";
import { LOAD_HELP } from "./load/help.ts";
import { LOGS_HELP } from "./logs/help.ts";

/** @returns the exit code. */
export type Command = (argv: readonly string[]) => Promise<number>;

/** How a flag is written, and what it means. */
export type FlagHelp = readonly (readonly [string, string])[];

export interface CommandRow {
  readonly name: string;
  readonly usage: string;
  readonly does: string;
  /** Its own flags, for its --help: how each is written, and what it means. A function where they are loaded for it. */
  readonly flags?: FlagHelp | (() => Promise<FlagHelp>);
  load(): Promise<Command>;
}

export const COMMANDS: readonly CommandRow[] = [
  {
    name: "serve",
    usage: "[APP] [--SETTING VALUE …] [-- ARGUMENTS]",
    does: "run the service (the default command)",
    load: async () => (await import("./serve.ts")).serve,
  },
  {
    name: "check",
    usage: "[--SETTING VALUE …]",
    does: "print every setting, its value and where it comes from",
    flags: [
      ["--offline", "ask Google nothing: the tables' tabs are not compared with the spreadsheet's"],
      ["--explain", "accepted, for `drover config --explain`, which is the same command"],
    ],
    load: async () => (await import("./check.ts")).check,
  },
  {
    name: "status",
    usage: "[--json] [--watch[=SECONDS]]",
    does: "show what the daemon does, once or again and again",
    load: async () => (await import("./status-command.ts")).status,
  },
  {
    name: "top",
    usage: "[--interval SECONDS]",
    does: "watch the daemon on a live screen, and order it about",
    load: async () => (await import("./top/command.ts")).top,
  },
  {
    name: "reload",
    usage: "",
    does: "start a new generation, one worker at a time, and wait for it",
    load: async () => (await import("./reload-command.ts")).reload,
  },
  { name: "scale", usage: "N", does: "set the number of workers", load: async () => (await import("./control.ts")).scale },
  {
    name: "recycle",
    usage: "[SLOT]",
    does: "replace one worker, or all of them one by one",
    load: async () => (await import("./control.ts")).recycle,
  },
  {
    name: "stack",
    usage: "SLOT",
    does: "print what a worker does now: its JavaScript stack, its requests in flight",
    load: async () => (await import("./control.ts")).stack,
  },
  {
    name: "slots",
    usage: "[--zombies | reap | end USER-OR-SESSION | reset-day | schedule [hold | resume | max N]]",
    does: "list sessions, end some, or change the launch schedule",
    flags: [["--zombies", "only sessions that hold a slot and have not used it for a minute"]],
    load: async () => (await import("./control.ts")).slots,
  },
  {
    name: "writes",
    usage: "[list | retry ID … | retry --all | discard ID … | discard --all]",
    does: "show what Google has refused for good, try it again, or give it up",
    flags: [
      ["--all", "all of them, the oldest 500 first, instead of IDs"],
      ["--json", "the list as JSON"],
    ],
    load: async () => (await import("./writes.ts")).writes,
  },
  {
    name: "alerts",
    usage: "[test | ack NAME]",
    does: "show what alerts fire, try the way to whoever is told, mark one as seen",
    load: async () => (await import("./alerts.ts")).alerts,
  },
  {
    name: "why",
    usage: "[REASON] [--json]",
    does: "show how often requests were refused, and what to do",
    load: async () => (await import("./why.ts")).why,
  },
  {
    name: "logs",
    usage: "[FILE | -] [--level LEVEL] [--worker SLOT] [--request ID] [--since TIME] [--FLAG …]",
    does: "show the log for people's eyes, and go on as it grows; - is standard input",
    flags: LOGS_HELP,
    load: async () => (await import("./logs/command.ts")).logs,
  },
  {
    name: "dashboard",
    usage: "[--token ROLE] [--name NAME] [--days N] [--revoke NAME]",
    does: "print a one-time link to the dashboard, or make a token for programs",
    load: async () => (await import("./dashboard.ts")).dashboard,
  },
  {
    name: "reopen",
    usage: "",
    does: "open the log files again, after they were rotated",
    load: async () => (await import("./control.ts")).reopen,
  },
  {
    name: "stop",
    usage: "[--now]",
    does: "stop the daemon and wait until it is gone",
    load: async () => (await import("./control.ts")).stop,
  },
  {
    name: "codes",
    usage: "[--count N] [--users FILE]",
    does: "make codes to log in with, and what of each goes into the spreadsheet",
    load: async () => (await import("./codes.ts")).codes,
  },
  {
    name: "hash",
    usage: "",
    does: "read a password, print what of it goes into the spreadsheet",
    load: async () => (await import("./hash.ts")).hash,
  },
  {
    name: "backup",
    usage: "FILE",
    does: "copy what the data directory holds into one file, also of a daemon that runs",
    load: async () => (await import("../tools/backup/backup.ts")).backup,
  },
  {
    name: "restore",
    usage: "FILE [--anyway]",
    does: "put a backup in the place of what the data directory holds",
    load: async () => (await import("../tools/backup/restore.ts")).restore,
  },
  {
    name: "emulator",
    usage: "[--port N] [--dir DIR] [--csv DIR] [--faults] [--fault SPEC]",
    does: "run the Google Sheets emulator alone",
    load: async () => (await import("./emulator.ts")).emulator,
  },
  {
    name: "install",
    usage: "[--name EVENT] [--key FILE] [--SETTING VALUE …] [--root DIR] [--dry-run]",
    does: "make this version a service of systemd, or the one that it runs",
    load: async () => (await import("./install/install.ts")).install,
  },
  {
    name: "uninstall",
    usage: "[--name EVENT] [--purge] [--root DIR] [--dry-run]",
    does: "take away what install wrote; data stay, unless --purge",
    load: async () => (await import("./install/uninstall.ts")).uninstall,
  },
  {
    name: "emit",
    usage: "NAME [--output DIR] [--dry-run] [--force] [--OPTION VALUE …] [--SETTING VALUE …]",
    does: "generate files for other programs from these settings",
    flags: async () => (await import("../tools/emit/command.ts")).emitHelp(),
    load: async () => (await import("../tools/emit/command.ts")).emit,
  },
  {
    name: "load",
    usage: "URL [--users N] [--rate R] [--FLAG …]",
    does: "send users to a server, step by step, and say what it holds",
    flags: LOAD_HELP,
    load: async () => (await import("./load-command.ts")).load,
  },
  {
    name: "drill",
    usage: DRILL_USAGE,
    does: "do to a running service what may happen at the event, and say whether it holds",
    flags: DRILL_HELP,
    load: async () => (await import("./drill/command.ts")).drill,
  },
  {
    name: "checklist",
    usage: CHECKLIST_USAGE,
    does: "show what is proven before, during and after a launch",
    flags: CHECKLIST_HELP,
    load: async () => (await import("../tools/checklist/command.ts")).checklist,
  },
  {
    name: "plan",
    usage: "[--users N] [--rate R] [--FLAG …]",
    does: "say whether a number of users fits on a machine, and what binds",
    flags: PLAN_HELP,
    load: async () => (await import("../tools/plan/command.ts")).plan,
  },
  {
    name: "compare",
    usage: "BEFORE.json AFTER.json [--json]",
    does: "print two plans or two load runs side by side",
    load: async () => (await import("../tools/plan/compare.ts")).compare,
  },
];

import { EXIT, type ExitName } from "./exit.ts";

/**
 * Every error an operator or client can meet, by code. docs/ERRORS.md is generated from this table.
 * `exit` is the code of the process that dies of it; errors of single requests have none.
 */
export const ERRORS = {
  DROVER_E_SETTINGS: { exit: "settings", what: "a setting has a value it can't have, or two settings contradict each other" },
  DROVER_E_NO_SPREADSHEET: { exit: "settings", what: "no spreadsheet is named and the demo is off" },
  DROVER_E_CREDENTIALS: { exit: "settings", what: "the Google key file is missing, unreadable or not a key" },
  DROVER_E_TLS: { exit: "settings", what: "the certificate or its key is missing, unreadable, or they don't fit" },
  DROVER_E_TABLES: { exit: "settings", what: "the tables file is missing, unreadable or wrong" },
  DROVER_E_DATA_DIR: {
    exit: "settings",
    what: "something in the data, run or log directory can't be used: a wrong owner, mode or kind of file",
  },
  DROVER_E_DISK: {
    exit: "temporary",
    what: "the disk of the data, run or log directory is full, over quota, read-only, or fails",
  },
  DROVER_E_JOURNAL: {
    exit: "settings",
    what: "the journal of writes was written by a newer drover, or holds writes for another spreadsheet",
  },
  DROVER_E_SESSION_STORE: { exit: "settings", what: "the engine that is to keep sessions can't be used as it is" },
  DROVER_E_BACKUP: { exit: "settings", what: "a backup is damaged, is none of drover's, or can't be made or put back here" },
  DROVER_E_INSTALL: { exit: "settings", what: "drover can't be installed here as asked" },
  DROVER_E_ACTIVATION: { exit: "settings", what: "systemd passed sockets that differ from DROVER_BIND" },
  DROVER_E_USAGE: { exit: "usage", what: "unknown command or flag" },
  DROVER_E_RUNTIME: { exit: "settings", what: "this Node.js is too old, or lacks something drover needs" },
  DROVER_E_PORT: { exit: "temporary", what: "an address to listen on is taken" },
  DROVER_E_RUNNING: { exit: "temporary", what: "a daemon already runs with this run directory" },
  DROVER_E_BUSY: { exit: "temporary", what: "what was asked can't be done at this moment: try again" },
  DROVER_E_NO_DAEMON: { exit: "noDaemon", what: "no daemon answers on the control socket" },
  DROVER_E_TARGET: { exit: "noDaemon", what: "what a load run is aimed at can't be reached, or does not answer" },
  DROVER_E_APP: { exit: "loadFailed", what: "the application could not be loaded" },
  DROVER_E_HOOKS: { exit: "settings", what: "the hooks module is not there" },
  DROVER_E_BOOT: { exit: "bootFailed", what: "a child failed to start" },
  DROVER_E_UPSTREAM: { exit: undefined, what: "Google, or the emulator in its place, could not be reached or refused" },
  DROVER_E_QUOTA: { exit: undefined, what: "the call would exceed Google's quota" },
  DROVER_E_BROKER: { exit: undefined, what: "the broker is away" },
  DROVER_E_REFUSED: { exit: undefined, what: "a write of an application was refused; `reason` says why" },
  DROVER_E_BUG: { exit: "bug", what: "an invariant of drover broke: please report it" },
} as const satisfies Record<string, { exit: ExitName | undefined; what: string }>;

export type ErrorCode = keyof typeof ERRORS;

/**
 * An expected failure with a code of the table above. The message names what failed, the value, what was expected and
 * what to do; it must not contain a secret.
 */
export class DroverError extends Error {
  readonly code: ErrorCode;
  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "DroverError";
    this.code = code;
  }
  /** The exit code of a process that can't go on after this error. */
  get exit(): number {
    return EXIT[ERRORS[this.code].exit ?? "bug"].code;
  }
}

/** The text of anything that was thrown: never empty, never "[object Object]". */
export function messageOf(thrown: unknown): string {
  if (thrown instanceof AggregateError && thrown.message === "") return thrown.errors.map(messageOf).join("; ");
  if (thrown instanceof Error) return thrown.message || thrown.name;
  return typeof thrown === "string" ? thrown : (JSON.stringify(thrown) ?? String(thrown));
}

/** The errno name of a system error ("ENOENT"), else undefined. */
export function errnoOf(thrown: unknown): string | undefined {
  const code = (thrown as { code?: unknown } | null)?.code;
  return typeof code === "string" ? code : undefined;
}

import pino, { type DestinationStream, type Logger } from "pino";
import { messageOf } from "./errors.ts";

export type { Logger } from "pino";
export type LogLevel = "trace" | "debug" | "info" | "warn" | "error" | "fatal" | "silent";

/** Who writes: these fields stand on every line. */
export interface Identity {
  readonly role: "master" | "worker" | "broker" | "emulator" | "cli";
  readonly slot?: number;
  readonly generation?: number;
}

/** Where lines go: a file (opened for append, may be reopened), or an inherited descriptor such as 1. */
export type LogTarget = { readonly file: string } | { readonly fd: number };

export interface LogSink {
  readonly log: Logger;
  /** Opens the file again after it was renamed (logrotate); does nothing for a descriptor. */
  reopen(): void;
}

/** What must never be printed, wherever it stands in a log record. Messages and URLs are the caller's care. */
const REDACT = ["authorization", "cookie", "private_key", "token", "access_token", "password", "secret", "assertion"].flatMap((k) => [
  k,
  `*.${k}`,
  `*.*.${k}`,
]);

/**
 * The JSON line logger of one process: one object a line with time, level, pid, role, slot, generation and msg.
 * Writes are synchronous and append, so that several processes share one file without tearing a line, and what was
 * logged before a SIGKILL is in the file. A full disk or a closed pipe loses lines, never the process.
 */
export function createLog(identity: Identity, level: LogLevel, target: LogTarget): LogSink {
  const destination = pino.destination({
    ...("file" in target ? { dest: target.file, append: true, mkdir: false } : { fd: target.fd }),
    sync: true,
  });
  destination.on("error", () => {}); // ENOSPC, EPIPE: dropping a line is the only thing left to do
  return { log: makeLogger(identity, level, destination), reopen: () => void ("file" in target && destination.reopen()) };
}

/** The same logger on any stream: tests, and the lines that also go to stderr. */
export function makeLogger(identity: Identity, level: LogLevel, stream: DestinationStream): Logger {
  return pino(
    {
      level,
      base: { pid: process.pid, role: identity.role, slot: identity.slot ?? null, generation: identity.generation ?? null },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      serializers: {
        err: (e: unknown) => (e instanceof Error ? { type: e.name, message: e.message, stack: e.stack } : { message: messageOf(e) }),
      },
      redact: { paths: REDACT, censor: "***" },
    },
    stream,
  );
}

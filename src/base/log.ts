import pino, { type DestinationStream, type Logger } from "pino";
import { messageOf } from "./errors.ts";
import { openLineStream, type LineStream } from "./linestream.ts";
import { openLogFile, type LogTarget, type Lost } from "./logfile.ts";
import { readableStack } from "./sources.ts";

export type { Logger } from "pino";
export type { LogTarget } from "./logfile.ts";
export type LogLevel = "trace" | "debug" | "info" | "warn" | "error" | "fatal" | "silent";

/** Who writes: these fields stand on every line. */
export interface Identity {
  readonly role: "master" | "worker" | "broker" | "emulator" | "cli";
  readonly slot?: number;
  readonly generation?: number;
}

export interface LogSink {
  readonly log: Logger;
  /**
   * Opens the file again after it was renamed (logrotate); does nothing for a descriptor.
   * @returns why that failed, which the old file has as a line, too.
   */
  reopen(): string | undefined;
  /** The log file was removed: its lines go nowhere until reopen(). */
  isRemoved(): boolean;
  /** For many whole lines that were made elsewhere and may wait a moment (access lines). They are written as they are: see `harmless`. */
  readonly lines: LineStream;
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
 * logged before a SIGKILL is in the file. A full disk or a closed pipe loses lines, never the process, and is told of afterwards.
 * @param mayWait a child of the daemon: it serves without a log that can't be opened now, and opens it later.
 * @throws Error with `code` when the file can't be opened, unless it may wait.
 */
export function createLog(identity: Identity, level: LogLevel, target: LogTarget, mayWait = false): LogSink {
  const tell = ({ lines, why }: Lost): string => lineOf(identity, `${lines} log lines were lost: ${why}`);
  const destination = openLogFile(target, tell, mayWait);
  const log = makeLogger(identity, level, { write: (lines: string) => destination.write(harmless(lines)) });
  const lines = openLineStream(target, (lost) => lineOf(identity, `${lost.lines} access lines were lost: ${lost.why}`));
  return {
    log,
    lines,
    isRemoved: () => destination.isRemoved(),
    reopen() {
      lines.reopen();
      try {
        destination.reopen();
        return undefined;
      } catch (error) {
        log.error({ err: error }, `the log file can't be opened again, it goes on in the old one: ${messageOf(error)}`);
        return messageOf(error);
      }
    },
  };
}

/** What JSON lets stand and a terminal obeys: DEL, the control characters of C1 (U+009B begins a command), marks that turn the text around. */
const OBEYED = /[\u007f-\u009f\u2028-\u202e\u2066-\u2069]/g;

/** The same JSON, of which a terminal obeys nothing: in a line of JSON such characters stand in strings and nowhere else. */
export function harmless(lines: string): string {
  return lines.replace(OBEYED, (mark) => `\\u${mark.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

/** A line that no logger wrote: one that is about losing lines must not be made while a line is written. */
function lineOf(identity: Identity, msg: string): string {
  const { role, slot = null, generation = null } = identity;
  return `${JSON.stringify({ level: "warn", time: new Date().toISOString(), pid: process.pid, role, slot, generation, msg })}\n`;
}

/** An error that a child's logger has taken apart already. */
const hasStack = (e: unknown): boolean =>
  typeof e === "object" && e !== null && !(e instanceof Error) && typeof (e as { stack?: unknown }).stack === "string";

/** The same logger on any stream: tests, and the lines that also go to stderr. */
export function makeLogger(identity: Identity, level: LogLevel, stream: DestinationStream): Logger {
  return pino(
    {
      level,
      base: null,
      // A mixin and no `base`: what a record says of itself (a child's pid on the master's line) replaces it, instead of standing beside it.
      mixin: () => ({ pid: process.pid, role: identity.role, slot: identity.slot ?? null, generation: identity.generation ?? null }),
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      serializers: {
        err: (e: unknown) =>
          hasStack(e)
            ? e
            : e instanceof Error
              ? { type: e.name, message: e.message, stack: e.stack && readableStack(e.stack) }
              : { message: messageOf(e) },
      },
      redact: { paths: REDACT, censor: "***" },
    },
    stream,
  );
}

/**
 * `slot-schedule.json` and `slot-usage.json` in the data directory: what of the slots outlasts the
 * master.
 */
import { renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { Seen } from "../../admin/slots/calendar.ts";
import type { KeptProgress, Mode, Progress } from "../../admin/slots/schedule.ts";
import { readRecord, recordJson, type UsageRecord } from "../../admin/slots/record.ts";
import { withReserve } from "../../base/descriptors.ts";
import { errnoOf, messageOf } from "../../base/errors.ts";
import { count, record } from "../../base/fields.ts";
import type { Logger } from "../../base/log.ts";
import { readText } from "../../base/readtext.ts";
import type { Ms, Timestamp } from "../../base/units.ts";
import { replaceFile, replaceFileInBackground } from "../../base/wholefile.ts";

const PROGRESS = "slot-schedule.json";
const USAGE = "slot-usage.json";

/** `nothing`: there is no file, or it was damaged and is set aside. `unreadable`: it stays as it is. */
export type Found<T> =
  | { readonly is: "found"; readonly value: T }
  | { readonly is: "nothing" }
  | { readonly is: "unreadable"; readonly why: string };

export interface SlotFiles {
  progress(): Found<KeptProgress>;
  /**
   * @param progress undefined: there is no schedule any more.
   * @returns why it is not on disk; undefined: it is.
   */
  saveProgress(progress: Progress | undefined): string | undefined;
  usage(): Found<UsageRecord>;
  /** Without blocking, one write at a time: while one is on its way the next call does nothing. */
  saveUsage(usage: UsageRecord): void;
  /** The same at the end of the process, before it returns. */
  saveUsageNow(usage: UsageRecord): void;
}

export function openSlotFiles(dataDir: string, log: Logger): SlotFiles {
  const [progressFile, usageFile] = [join(dataDir, PROGRESS), join(dataDir, USAGE)];
  let isWriting = false;
  const closing = new AbortController();
  let failed = false;
  const unwritten = (error: unknown): void => {
    if (!failed) log.error({ err: error }, `${usageFile} can't be written, and is tried again every minute: ${messageOf(error)}`);
    failed = true;
  };
  const read = createReader(log);
  return {
    progress: () => read(progressFile, (text) => readProgress(JSON.parse(text))),
    saveProgress(progress) {
      try {
        if (progress === undefined) rmSync(progressFile, { force: true });
        else replaceFile(progressFile, `${JSON.stringify(progress)}\n`);
        return undefined;
      } catch (error) {
        return `${progressFile} can't be written: ${messageOf(error)}`;
      }
    },
    usage: () => read(usageFile, readRecord),
    saveUsage(usage) {
      if (isWriting) return;
      isWriting = true;
      void replaceFileInBackground(usageFile, recordJson(usage), undefined, closing.signal)
        .then(
          () => (failed = false),
          (error: unknown) => closing.signal.aborted || unwritten(error),
        )
        .finally(() => (isWriting = false));
    },
    saveUsageNow(usage) {
      closing.abort();
      try {
        replaceFile(usageFile, recordJson(usage));
      } catch (error) {
        unwritten(error);
      }
    },
  };
}

/** Reads files, and says once that one can't be read. */
function createReader(log: Logger): <T>(path: string, parse: (text: string) => T | undefined) => Found<T> {
  const failing = new Set<string>();
  return (path, parse) => {
    const text = textOf(path);
    if (text.is === "unreadable") {
      if (!failing.has(path)) log.error(`${path} can't be read; it is left as it is and read again every few seconds: ${text.why}`);
      failing.add(path);
      return text;
    }
    if (failing.delete(path)) log.info(`${path} can be read again`);
    if (text.is === "nothing") return text;
    const { value, why } = text.is === "damaged" ? { value: undefined, why: text.why } : parsed(text.value, parse);
    if (value !== undefined) return { is: "found", value };
    setAside(path, log, why);
    return { is: "nothing" };
  };
}

/** An error of open(2) or read(2) says nothing about the content. */
function textOf(path: string): Found<string> | { readonly is: "damaged"; readonly why: string } {
  try {
    return { is: "found", value: withReserve(() => readText(path)) };
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return { is: "nothing" };
    const isOfDisk = typeof (error as { readonly errno?: unknown }).errno === "number";
    return { is: isOfDisk ? "unreadable" : "damaged", why: messageOf(error) }; // damaged: too large, or no UTF-8
  }
}

function parsed<T>(text: string, parse: (text: string) => T | undefined): { readonly value: T | undefined; readonly why: string } {
  try {
    return { value: parse(text), why: "it is not what drover writes" };
  } catch (error) {
    return { value: undefined, why: messageOf(error) };
  }
}

function setAside(path: string, log: Logger, why: string): void {
  const to = `${path}.unreadable`;
  try {
    renameSync(path, to);
    log.error(`${path} can't be read and is set aside as ${to}; drover begins a new one: ${why}`);
  } catch (error) {
    log.error({ err: error }, `${path} can't be read (${why}), nor be set aside as ${to}: ${messageOf(error)}`);
  }
}

function readProgress(value: unknown): KeptProgress | undefined {
  if (!record(value)) return undefined;
  const { first, step, max } = value;
  const mode = readMode(value["mode"]);
  const seen = readSeen(value["seen"]);
  const sound = isDate(first) && Number.isSafeInteger(step) && count(step) && isMax(max);
  return sound && mode !== undefined && seen !== "wrong" ? { first, step, max, mode, ...(seen === undefined ? {} : { seen }) } : undefined;
}

function readSeen(value: unknown): Seen | undefined | "wrong" {
  if (value === undefined) return undefined;
  if (!record(value) || !record(value["boot"])) return "wrong";
  const { day, isSettled } = value;
  const { id, up } = value["boot"];
  const sound = isDate(day) && typeof id === "string" && count(up) && typeof isSettled === "boolean";
  return sound ? { day, boot: { id, up: up as Ms }, isSettled } : "wrong";
}

const isMax = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) > 0;

function isDate(text: unknown): text is string {
  if (typeof text !== "string") return false;
  try {
    return String(Temporal.PlainDate.from(text)) === text;
  } catch (thrown) {
    if (thrown instanceof RangeError) return false;
    throw thrown;
  }
}

function readMode(value: unknown): Mode | undefined {
  if (!record(value)) return undefined;
  const { is, since, max } = value;
  if (is === "follows") return { is };
  if (!count(since)) return undefined;
  if (is === "held") return { is, since: since as Timestamp };
  const before = is === "fixed" ? readMode(value["before"]) : undefined;
  return isMax(max) && before !== undefined && before.is !== "fixed" ? { is: "fixed", max, since: since as Timestamp, before } : undefined;
}

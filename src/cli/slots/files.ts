/**
 * `slot-schedule.json` and `slot-usage.json` in the data directory: what of the slots outlasts the
 * master.
 */
import { renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { Mode, Progress } from "../../admin/slots/schedule.ts";
import { readRecord, recordJson, type UsageRecord } from "../../admin/slots/record.ts";
import { errnoOf, messageOf } from "../../base/errors.ts";
import { count, record } from "../../base/fields.ts";
import type { Logger } from "../../base/log.ts";
import { readText } from "../../base/readtext.ts";
import type { Timestamp } from "../../base/units.ts";
import { replaceFile, replaceFileInBackground } from "../../base/wholefile.ts";

const PROGRESS = "slot-schedule.json";
const USAGE = "slot-usage.json";

export interface SlotFiles {
  progress(): Progress | undefined;
  /**
   * @param progress undefined: there is no schedule any more.
   * @returns why it is not on disk; undefined: it is.
   */
  saveProgress(progress: Progress | undefined): string | undefined;
  usage(): UsageRecord;
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
  return {
    progress: () => readOr(progressFile, log, (text) => readProgress(JSON.parse(text))),
    saveProgress(progress) {
      try {
        if (progress === undefined) rmSync(progressFile, { force: true });
        else replaceFile(progressFile, `${JSON.stringify(progress)}\n`);
        return undefined;
      } catch (error) {
        return `${progressFile} can't be written: ${messageOf(error)}`;
      }
    },
    usage: () => readOr(usageFile, log, readRecord) ?? [],
    saveUsage(usage) {
      if (isWriting) return;
      isWriting = true;
      void replaceFileInBackground(usageFile, recordJson(usage), closing.signal)
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

/** What a file holds; undefined when there is none. A file that is damaged is set aside. */
function readOr<T>(path: string, log: Logger, read: (text: string) => T | undefined): T | undefined {
  try {
    const found = read(readText(path));
    if (found !== undefined) return found;
    setAside(path, log, "it is not what drover writes");
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return undefined;
    setAside(path, log, messageOf(error));
  }
  return undefined;
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

function readProgress(value: unknown): Progress | undefined {
  if (!record(value)) return undefined;
  const { first, step, max } = value;
  const mode = readMode(value["mode"]);
  const sound = typeof first === "string" && isDate(first) && Number.isSafeInteger(step) && count(step) && isMax(max);
  return sound && mode !== undefined ? { first, step, max, mode } : undefined;
}

const isMax = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) > 0;

function isDate(text: string): boolean {
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

/** `drover logs`: the log for people's eyes, as it grows. */
import { once } from "node:events";
import { stat, type FileHandle } from "node:fs/promises";
import { systemClock } from "../../base/clock.ts";
import { DroverError, errnoOf, messageOf } from "../../base/errors.ts";
import { EXIT } from "../../base/exit.ts";
import { harmless } from "../../base/log.ts";
import { endSoon } from "../ending.ts";
import { readSettingsOfCaller } from "../options.ts";
import { printable } from "../terminal/printable.ts";
import { FLAGS, readAsked, type Asked } from "./asked.ts";
import { readEntry, wants, type Entry } from "./entry.ts";
import { follow, FollowedFile } from "./follow.ts";
import { Lines } from "./lines.ts";
import { pretty } from "./pretty.ts";
import { findSource } from "./source.ts";
import { findStart } from "./start.ts";

export async function logs(argv: readonly string[]): Promise<number> {
  const { resolved, own, positional } = readSettingsOfCaller(argv, FLAGS);
  const [named, more] = positional;
  if (more !== undefined) throw new DroverError("DROVER_E_USAGE", `drover logs takes one file, not ${positional.join(" ")}`);
  const source = await findSource(resolved.settings, named);
  const asked = readAsked(own, source === "stdin", systemClock.wall());
  const ended = endOf();
  const show = printer(asked, ended);
  if (source === "stdin") await readPipe(show, ended);
  else if (asked.follow) await followFile(source.file, asked, show, ended);
  else await readFile(source.file, asked, show, ended);
  return EXIT.done.code;
}

/** A signal asks us to end, or nobody reads any more (`| head`). */
function endOf(): AbortSignal {
  const end = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.once(signal, () => (endSoon(), end.abort()));
  process.stdout.once("error", () => end.abort());
  return end.signal;
}

/** Resolves when whoever reads has taken it, so that a pager that stands still holds up the reading, not the memory. */
type Show = (lines: readonly string[]) => Promise<void>;

function printer({ wanted, json }: Asked, ended: AbortSignal): Show {
  const { stdout } = process;
  const terminal = stdout.isTTY;
  const colours = terminal && (process.env["NO_COLOR"] ?? "") === "" && stdout.getColorDepth({ TERM: process.env["TERM"] ?? "dumb" }) > 1;
  const told = (entry: Entry): string => (json ? passed(entry, terminal) : pretty(entry, colours));
  return async (lines) => {
    const shown = lines.flatMap((text) => {
      try {
        const entry = readEntry(text);
        return wants(wanted, entry) ? [`${told(entry)}\n`] : [];
      } catch {
        return [`${printable(text)}\n`]; // values nested so deep that they can't be told: the line is shown as it is
      }
    });
    if (shown.length === 0 || stdout.write(shown.join("")) || ended.aborted) return;
    await once(stdout, "drain", { signal: ended }).catch(() => {}); // ended, or nobody reads any more: endOf hears of both
  };
}

/** As it is; in a line of JSON what a terminal obeys stands in strings alone, and is escaped there. */
const passed = ({ text, fields }: Entry, terminal: boolean): string =>
  fields !== undefined && text.startsWith("{") ? harmless(text) : terminal ? printable(text) : text;

const SILENCE = 2_000;

async function readPipe(show: Show, ended: AbortSignal): Promise<void> {
  const { stdin } = process;
  const lines = new Lines();
  const note = setTimeout(
    () => process.stderr.write("drover logs: reading standard input, which is a pipe; for a file: drover logs FILE\n"),
    SILENCE,
  );
  ended.addEventListener("abort", () => stdin.destroy());
  try {
    for await (const chunk of stdin) {
      clearTimeout(note);
      await show(lines.take(chunk as Buffer));
    }
  } catch (error) {
    if (!ended.aborted) throw error;
  } finally {
    clearTimeout(note);
  }
  await show(lines.rest());
}

/** What is there, and no more. */
async function readFile(path: string, asked: Asked, show: Show, ended: AbortSignal): Promise<void> {
  const file = await FollowedFile.open(path, beginning(path, asked, show, ended)).catch((error: unknown) => {
    throw cantRead(path, error);
  });
  for await (const lines of file.read()) {
    if (ended.aborted) break;
    await show(lines);
  }
  await show(file.rest());
  await file.close();
}

async function followFile(path: string, asked: Asked, show: Show, ended: AbortSignal): Promise<void> {
  const from = beginning(path, asked, show, ended);
  const missing = (why: string): void => {
    if (why !== "ENOENT") throw cantRead(path, Object.assign(new Error(why), { code: why }));
    process.stderr.write(`drover logs: ${printable(path)} is not there (yet): waiting for it\n`);
  };
  await follow(path, { from, show, missing, ended });
}

/** Where a file is begun; of what was rotated, the lines that were asked for too. */
function beginning(
  path: string,
  { wanted, lines }: Asked,
  show: Show,
  ended: AbortSignal,
): (file: FileHandle, size: number) => Promise<number> {
  return async (file, size) => {
    const { offset, found, whole } = await findStart(file, size, { wanted, most: lines, ended });
    if (whole || wanted.since === undefined) return offset;
    const rotated = `${path}.1`;
    await showRotated(rotated, { wanted, lines: lines - found, show, ended }).catch((error: unknown) => {
      if (errnoOf(error) !== "ENOENT") process.stderr.write(`drover logs: ${cantRead(rotated, error).message}\n`);
    });
    return offset;
  };
}

interface Rotated extends Pick<Asked, "wanted" | "lines"> {
  readonly show: Show;
  readonly ended: AbortSignal;
}

/** logrotate leaves the last one uncompressed (delaycompress). */
async function showRotated(path: string, { wanted, lines, show, ended }: Rotated): Promise<void> {
  const before = await stat(path).catch(() => undefined);
  if (before === undefined || (wanted.since !== undefined && before.mtimeMs < wanted.since)) return;
  const from = async (file: FileHandle, size: number): Promise<number> =>
    (await findStart(file, size, { wanted, most: lines, ended })).offset;
  const file = await FollowedFile.open(path, from);
  for await (const read of file.read()) {
    if (ended.aborted) break;
    await show(read);
  }
  await show(file.rest());
  await file.close();
}

function cantRead(path: string, error: unknown): DroverError {
  const errno = errnoOf(error);
  const why =
    errno === "EACCES"
      ? "this user may not read it: use sudo"
      : errno === "ENOENT"
        ? "it is not there"
        : errno === "EISDIR"
          ? "it is a directory"
          : messageOf(error);
  return new DroverError("DROVER_E_USAGE", `the log ${printable(path)} can't be read: ${why}. Another one: drover logs FILE`, {
    cause: error,
  });
}

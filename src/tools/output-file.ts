/**
 * A file that a command writes for its user: an existing file is replaced as a whole, and what
 * exists and is no file (/dev/stdout, /dev/null, a pipe with a reader) is written into.
 */
import { randomBytes } from "node:crypto";
import * as fs from "node:fs";
import { basename, dirname, join } from "node:path";
import { errnoOf } from "../base/errors.ts";

/** @throws Error saying why nothing can be written there. A file is tried: a draft is made and removed. */
export function checkFile(file: string): void {
  if (file === "-")
    throw new Error("for the standard output use /dev/stdout, for a file of that name ./-");
  const there = statOf(file);
  if (there?.isDirectory() === true) throw new Error("it is a folder");
  if (there === undefined && /\/\.{0,2}$/.test(file))
    throw new Error("that is the name of a folder");
  if (there?.isBlockDevice() === true) throw new Error("it is a disk");
  if (outputOf(there) !== undefined) return;
  if (there?.isSocket() === true) throw new Error("it is a socket");
  if (there === undefined || there.isFile()) fs.rmSync(draftOf(placeOf(file), " "));
}

/** @throws Error with `code`; a file is as it was then. */
export function writeFile(file: string, text: string): void {
  const there = statOf(file);
  const output = outputOf(there);
  if (output !== undefined) return void output.write(text);
  if (there?.isFile() === false) return writeInto(file, text);
  const place = placeOf(file);
  const draft = draftOf(place, text);
  try {
    fs.renameSync(draft, place);
  } catch (error) {
    fs.rmSync(draft, { force: true });
    throw error;
  }
}

/** @returns the same for each path of a file; undefined for what is no file and may be named twice. */
export function identityOf(file: string): string | undefined {
  const there = statOf(file);
  const isFile = there === undefined || (there.isFile() && outputOf(there) === undefined);
  return isFile ? placeOf(file) : undefined;
}

const statOf = (file: string): fs.BigIntStats | undefined =>
  fs.statSync(file, { bigint: true, throwIfNoEntry: false });

/** A file that was opened again would be written from its beginning, and a socket can't be opened. */
function outputOf(there: fs.BigIntStats | undefined): NodeJS.WriteStream | undefined {
  return [process.stdout, process.stderr].find((_, i) => {
    const { dev, ino } = fs.fstatSync(i + 1, { bigint: true });
    return there?.dev === dev && there.ino === ino;
  });
}

/** Opened without waiting first: a pipe without a reader would be waited for indefinitely. */
function writeInto(file: string, text: string): void {
  const { O_WRONLY, O_NONBLOCK, O_NOCTTY } = fs.constants;
  const fds: number[] = [];
  try {
    fds.push(fs.openSync(file, O_WRONLY | O_NONBLOCK | O_NOCTTY));
    const blocking = fs.openSync(file, O_WRONLY | O_NOCTTY);
    fds.push(blocking);
    fs.writeFileSync(blocking, text);
  } catch (error) {
    if (errnoOf(error) !== "ENXIO") throw error;
    throw new Error("it is a pipe without a reader: start the reader first", { cause: error });
  } finally {
    for (const fd of fds) fs.closeSync(fd);
  }
}

/** Where links lead. */
const placeOf = (file: string): string =>
  fs.existsSync(file)
    ? fs.realpathSync(file)
    : join(fs.realpathSync(dirname(file)), basename(file));

/** @returns its path; the name is short, because that of the place may be as long as names can be. */
function draftOf(place: string, text: string): string {
  const draft = join(dirname(place), `.drover-${randomBytes(6).toString("hex")}`);
  try {
    fs.writeFileSync(draft, text, { flag: "wx" });
  } catch (error) {
    fs.rmSync(draft, { force: true });
    throw error;
  }
  return draft;
}

/** Where a report goes: a file of its own takes the place of the one before, and what is no file, such as /dev/null, is written into. */
import { randomBytes } from "node:crypto";
import { lstatSync, readlinkSync, realpathSync, renameSync, rmSync, statSync, writeFileSync, type BigIntStats } from "node:fs";
import { basename, dirname, isAbsolute, join } from "node:path";
import { inode, look, output, READER_COMES, READER_TAKES, tryDirect, writeDirect } from "./direct.ts";

/** @throws Error saying why nothing can be written there. What can be tried is tried: a draft is made and removed, a pipe is opened. */
export function checkFile(file: string, patience = READER_COMES): void {
  if (file === "-") throw new Error("for the standard output say /dev/stdout, for a file of that name ./-");
  const there = look(file);
  if (there?.isDirectory() === true) throw new Error("it is a folder");
  if (there === undefined && /\/\.{0,2}$/.test(file)) throw new Error("that is the name of a folder");
  if (there !== undefined && output(there) !== undefined) return;
  if (there?.isBlockDevice() === true) throw new Error("it is a disk");
  if (there?.isSocket() === true) throw new Error("it is a socket");
  if (there?.isFile() === false) tryDirect(file, there, patience);
  else rmSync(draftOf(placeOf(file), " "));
}

/** A file is there whole or not at all: a draft beside it is given its name. */
export function writeWhole(file: string, text: string, patience = READER_TAKES): void {
  const there = look(file);
  if (there !== undefined && isDirect(there)) return writeDirect(file, { there, text, patience });
  const place = placeOf(file);
  const draft = draftOf(place, text);
  try {
    renameSync(draft, place);
  } catch (error) {
    rmSync(draft, { force: true });
    throw error;
  }
}

/** @returns the same for every name of a place; undefined for what may be given twice: a device, and our own output, whatever that is. */
export function identityOf(file: string): string | undefined {
  const there = look(file);
  if (there === undefined) return placeOf(file);
  return there.isCharacterDevice() || output(there) !== undefined ? undefined : inode(there);
}

/** A device, a pipe, a terminal, and what our own output goes to, a file too, which /dev/stdout may be: nothing takes their place. */
const isDirect = (there: BigIntStats): boolean => !there.isFile() || output(there) !== undefined;

/** Where links lead, to nothing yet perhaps; they stay. */
function placeOf(file: string): string {
  let place = file;
  // A circle of links has thrown in look().
  for (;;) {
    const folder = realpathSync.native(dirname(place));
    if (!statSync(folder).isDirectory()) throw new Error(`${folder} is no folder`);
    place = join(folder, basename(place));
    if (lstatSync(place, { throwIfNoEntry: false })?.isSymbolicLink() !== true) return place;
    const link = readlinkSync(place);
    place = isAbsolute(link) ? link : `${folder}/${link}`;
  }
}

/** @returns its name, which is short: that of the place may have all the 255 bytes that a name can have. */
function draftOf(place: string, text: string): string {
  const draft = join(dirname(place), `.drover-${randomBytes(6).toString("hex")}`);
  try {
    writeFileSync(draft, text, { flag: "wx" });
  } catch (error) {
    rmSync(draft, { force: true });
    throw error;
  }
  return draft;
}

/** Where a report goes: a file of its own takes the place of the one before, and what is no file, such as /dev/null, is written into. */
import { accessSync, constants, fstatSync, realpathSync, renameSync, statSync, writeFileSync, type Stats } from "node:fs";
import { dirname, resolve } from "node:path";

/** @throws Error saying why nothing can be written there. */
export function checkFile(file: string): void {
  const there = statSync(file, { throwIfNoEntry: false });
  if (there?.isDirectory() === true) throw new Error("it is a folder");
  if (there?.isBlockDevice() === true) throw new Error("it is a disk");
  if (there?.isSocket() === true) throw new Error("it is a socket");
  accessSync(there !== undefined && isDirect(there) ? file : dirname(placeOf(file, there)), constants.W_OK);
}

/** A file is there whole or not at all: a draft beside it is given its name. */
export function writeWhole(file: string, text: string): void {
  const there = statSync(file, { throwIfNoEntry: false });
  if (there !== undefined && isDirect(there)) return writeFileSync(ownOutput(there) ?? file, text);
  const place = placeOf(file, there);
  const draft = `${place}.${process.pid}.part`;
  writeFileSync(draft, text);
  renameSync(draft, place);
}

/** A device, a pipe, a terminal, and the file that our own output goes to, which /dev/stdout may be: nothing takes their place. */
const isDirect = (there: Stats): boolean => !there.isFile() || ownOutput(there) !== undefined;

/** @returns its descriptor, which goes on where the output has come to; the file, opened again, would be written from its beginning. */
function ownOutput({ dev, ino }: Stats): number | undefined {
  return [1, 2].find((fd) => {
    const own = fstatSync(fd);
    return own.isFile() && own.dev === dev && own.ino === ino;
  });
}

/** Where links lead; they stay. */
const placeOf = (file: string, there: Stats | undefined): string => (there === undefined ? resolve(file) : realpathSync(file));

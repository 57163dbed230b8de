/**
 * The part of tar that a backup needs: regular files in one folder, in the ustar format (POSIX.1-2001, pax), which `tar tf` reads too.
 * https://pubs.opengroup.org/onlinepubs/9699919799/utilities/pax.html#tag_20_92_13_06
 */
import { readSync, writeSync } from "node:fs";

const BLOCK = 512;
const CHUNK = 1_048_576;
/** Eleven octal digits: 8 GiB. A journal is bounded far below. */
const LARGEST = 8 ** 11 - 1;
export const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,98}$/;

/** The bytes of a file, in order. */
export type Content = Generator<Uint8Array>;

/** The bytes of an open file, from its beginning. */
export function* contentOf(fd: number): Content {
  const buffer = Buffer.alloc(CHUNK);
  for (let at = 0; ;) {
    const got = readSync(fd, buffer, 0, CHUNK, at);
    if (got === 0) return;
    at += got;
    yield buffer.subarray(0, got);
  }
}

function headerOf(name: string, size: number, mtime: number): Buffer {
  if (!NAME.test(name) || size > LARGEST)
    throw new RangeError(`${name} (${size} bytes) does not fit into a backup`);
  const header = Buffer.alloc(BLOCK);
  const octal = (value: number, at: number, width: number): number =>
    header.write(`${value.toString(8).padStart(width - 1, "0")}\0`, at, "latin1");
  header.write(name, 0, "latin1");
  octal(0o600, 100, 8);
  octal(0, 108, 8);
  octal(0, 116, 8);
  octal(size, 124, 12);
  octal(mtime, 136, 12);
  header.fill(" ", 148, 156); // the checksum is computed with spaces in its own field
  header.write("0", 156, "latin1");
  header.write("ustar\x0000", 257, "latin1");
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148, "latin1");
  return header;
}

/** Writes one file. @param mtime seconds since 1970. @throws RangeError when the content has another size, or a system error. */
export function writeEntry(
  fd: number,
  { name, size }: { readonly name: string; readonly size: number },
  content: Content,
  mtime: number,
): void {
  writeAll(fd, headerOf(name, size, mtime));
  let written = 0;
  for (const bytes of content) {
    writeAll(fd, bytes);
    written += bytes.length;
  }
  if (written !== size) throw new RangeError(`${name} has ${written} bytes now, and had ${size}`);
  writeAll(fd, Buffer.alloc((BLOCK - (size % BLOCK)) % BLOCK));
}

/** Two empty blocks mark the end of an archive. */
export const writeEnd = (fd: number): void => writeAll(fd, Buffer.alloc(2 * BLOCK));

function writeAll(fd: number, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length;) at += writeSync(fd, bytes, at);
}

export interface Entry {
  readonly name: string;
  readonly size: number;
  /** Must be read to its end before the next entry is asked for. */
  readonly content: Content;
}

/** The file is no tar archive, or incomplete. */
export class DamagedArchive extends Error {}

function full(fd: number, buffer: Buffer, at: number): boolean {
  let got = 0;
  while (got < buffer.length) {
    const more = readSync(fd, buffer, got, buffer.length - got, at + got);
    if (more === 0) return false;
    got += more;
  }
  return true;
}

function readHeader(header: Buffer): { name: string; size: number } {
  const text = (at: number, width: number): string =>
    header.toString("latin1", at, at + width).split("\0", 1)[0] ?? "";
  const stored = Number.parseInt(text(148, 8), 8);
  const sum = header.reduce((total, byte, at) => total + (at >= 148 && at < 156 ? 32 : byte), 0);
  if (text(257, 5) !== "ustar" || stored !== sum)
    throw new DamagedArchive("it is no tar file, or its list of files is damaged");
  const [name, size] = [text(0, 100), Number.parseInt(text(124, 12), 8)];
  if (!NAME.test(name) || text(156, 1) !== "0" || !Number.isSafeInteger(size) || size < 0)
    throw new DamagedArchive(`it holds ${JSON.stringify(name)}, which no backup of drover's holds`);
  return { name, size };
}

function* stretch(fd: number, from: number, size: number): Content {
  const buffer = Buffer.alloc(Math.min(CHUNK, size));
  for (let done = 0; done < size;) {
    const part = buffer.subarray(0, Math.min(buffer.length, size - done));
    if (!full(fd, part, from + done)) throw new DamagedArchive("it ends in the middle of a file");
    done += part.length;
    yield part;
  }
}

/** The files of an archive, in order. @throws DamagedArchive for anything that `writeEntry` and `writeEnd` would not have written. */
export function* readEntries(fd: number): Generator<Entry> {
  const header = Buffer.alloc(BLOCK);
  for (let at = 0; ;) {
    if (!full(fd, header, at))
      throw new DamagedArchive(at === 0 ? "it is no tar file" : "its end is missing");
    if (header.every((byte) => byte === 0)) return;
    const { name, size } = readHeader(header);
    yield { name, size, content: stretch(fd, at + BLOCK, size) };
    at += BLOCK + Math.ceil(size / BLOCK) * BLOCK;
  }
}

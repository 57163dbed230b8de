/** The file that `drover backup` writes: a tar archive that begins with a manifest, against which the other files are checked. */
import { createHash } from "node:crypto";
import { closeSync, fsyncSync, openSync, writeSync } from "node:fs";
import { join } from "node:path";
import { DroverError, messageOf } from "../../base/errors.ts";
import {
  NAME,
  DamagedArchive,
  readEntries,
  writeEnd,
  writeEntry,
  type Content,
  type Entry,
} from "./tar.ts";

export interface FileInfo {
  readonly name: string;
  readonly size: number;
  readonly sha256: string;
}

export interface Manifest {
  readonly format: 1;
  /** The version that made it. */
  readonly drover: string;
  /** ISO 8601. */
  readonly at: string;
  /** Undefined: there was no journal. */
  readonly journal:
    | {
        readonly schema: number;
        readonly spreadsheet: string | undefined;
        readonly waiting: number;
      }
    | undefined;
  readonly files: readonly FileInfo[];
}

/** A file that goes into a backup. `open` may be called several times. */
export interface Source {
  readonly name: string;
  open(): Content;
}

const MANIFEST = "manifest.json";
/** A manifest lists a few names. */
const LARGEST_MANIFEST = 65_536;
const isRecord = (v: unknown): v is Record<string, unknown> =>
  typeof v === "object" && v !== null && !Array.isArray(v);
const isCount = (v: unknown): v is number => Number.isSafeInteger(v) && (v as number) >= 0;

const sumOf = (manifest: unknown): string =>
  createHash("sha256").update(JSON.stringify(manifest)).digest("hex");

function describe({ name, open }: Source): FileInfo {
  const sum = createHash("sha256");
  let size = 0;
  for (const bytes of open()) {
    sum.update(bytes);
    size += bytes.length;
  }
  return { name, size, sha256: sum.digest("hex") };
}

/** Writes an archive to an open file. @throws a system error. */
export function writeArchive(
  fd: number,
  about: Pick<Manifest, "drover" | "at" | "journal">,
  sources: readonly Source[],
): Manifest {
  const manifest: Manifest = { format: 1, ...about, files: sources.map(describe) };
  const text = Buffer.from(
    `${JSON.stringify({ drover_backup: manifest, sha256: sumOf(manifest) }, null, 2)}\n`,
  );
  const mtime = Math.floor(Date.parse(about.at) / 1_000);
  const whole = function* (): Content {
    yield text;
  };
  writeEntry(fd, { name: MANIFEST, size: text.length }, whole(), mtime);
  manifest.files.forEach((file, i) => writeEntry(fd, file, (sources[i] as Source).open(), mtime));
  writeEnd(fd);
  return manifest;
}

function readManifest(entry: Entry | undefined): Manifest {
  const foreign = new DamagedArchive("it is no drover backup: it does not begin with a manifest");
  if (entry?.name !== MANIFEST || entry.size > LARGEST_MANIFEST) throw foreign;
  const parsed: unknown = JSON.parse(
    Buffer.concat(Array.from(entry.content, (bytes) => Buffer.from(bytes))).toString("utf8"),
  );
  const manifest = isRecord(parsed) ? parsed["drover_backup"] : undefined;
  if (!isRecord(parsed) || !isRecord(manifest)) throw foreign;
  if (parsed["sha256"] !== sumOf(manifest)) throw new DamagedArchive("its manifest is damaged");
  if (manifest["format"] !== 1)
    throw new DamagedArchive(
      `a newer drover (${String(manifest["drover"])}) made it, in the format ${String(manifest["format"])}: restore it with that one`,
    );
  const { drover, at, journal, files } = manifest;
  const listed =
    Array.isArray(files) &&
    files.every(
      (f) =>
        isRecord(f) &&
        NAME.test(String(f["name"])) &&
        isCount(f["size"]) &&
        /^[0-9a-f]{64}$/.test(String(f["sha256"])),
    );
  const known =
    journal === undefined ||
    (isRecord(journal) && isCount(journal["schema"]) && isCount(journal["waiting"]));
  if (typeof drover !== "string" || typeof at !== "string" || !listed || !known) throw foreign;
  return manifest as unknown as Manifest;
}

/** Extracts a file, mode 0600; it is on disk when this returns. @throws DamagedArchive when its bytes are not those of the manifest. */
function extract(
  { name, size, content }: Entry,
  wanted: FileInfo | undefined,
  folder: string,
): void {
  if (wanted?.name !== name || wanted.size !== size)
    throw new DamagedArchive(`${name} is not what its manifest says`);
  const sum = createHash("sha256");
  const to = openSync(join(folder, name), "wx", 0o600);
  try {
    for (const bytes of content) {
      sum.update(bytes);
      for (let at = 0; at < bytes.length;) at += writeSync(to, bytes, at);
    }
    fsyncSync(to);
  } finally {
    closeSync(to);
  }
  if (sum.digest("hex") !== wanted.sha256)
    throw new DamagedArchive(`${name} is damaged: its SHA-256 is not the one of its manifest`);
}

/**
 * Extracts an archive into an empty folder.
 * @param path for error messages. @throws DroverError DROVER_E_BACKUP when it is damaged or foreign; a system error when there is no room.
 */
export function readArchive(fd: number, path: string, folder: string): Manifest {
  try {
    const entries = readEntries(fd);
    const manifest = readManifest(entries.next().value as Entry | undefined);
    let taken = 0;
    for (const entry of entries) {
      extract(entry, manifest.files[taken], folder);
      taken += 1;
    }
    if (taken !== manifest.files.length)
      throw new DamagedArchive(`${manifest.files[taken]?.name ?? "a file"} is missing`);
    return manifest;
  } catch (e) {
    if (!(e instanceof DamagedArchive || e instanceof SyntaxError)) throw e;
    const why =
      e instanceof SyntaxError ? "it is no drover backup: its manifest is no JSON" : messageOf(e);
    throw new DroverError(
      "DROVER_E_BACKUP",
      `${path} can't be restored: ${why}. Nothing was changed`,
      { cause: e },
    );
  }
}

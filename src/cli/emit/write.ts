import { chmodSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { DroverError, errnoOf, messageOf } from "../../base/errors.ts";

export interface EmittedFile {
  readonly path: string;
  readonly text: string;
  /** 0644, unless it says otherwise. */
  readonly mode?: number;
}

/** In the first line of every template: a file without it is somebody else's. */
const MARK = /^# Written by `drover (?:emit|install)\b/;

export const isOurs = (text: string): boolean => MARK.test(text);

/** Why a file must not be replaced; undefined: it may be. */
export type Refusal = (file: EmittedFile, before: string) => string | undefined;

const foreign: Refusal = ({ path }, before) =>
  isOurs(before) ? undefined : `${path} was not written by drover: move it away, or choose another --prefix`;

/**
 * Writes all the files, or none when `refuse` names a reason for one of them.
 * @returns the outcome of each: "wrote", or "unchanged".
 * @throws DroverError DROVER_E_USAGE.
 */
export function writeAll(files: readonly EmittedFile[], refuse: Refusal | undefined = foreign): ("wrote" | "unchanged")[] {
  const before = files.map(({ path }) => contentOf(path));
  const reasons = files.map((file, i) => (before[i] === undefined ? undefined : refuse(file, before[i])));
  const refused = reasons.find((reason) => reason !== undefined);
  if (refused !== undefined) throw new DroverError("DROVER_E_USAGE", `${refused}. Nothing was changed`);
  return files.map((file, i) => {
    if (before[i] === file.text) return "unchanged";
    write(file);
    return "wrote";
  });
}

/** @returns undefined when it is not there. @throws DroverError when it can't be read. */
export function contentOf(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch (e) {
    if (errnoOf(e) === "ENOENT") return undefined;
    throw new DroverError("DROVER_E_USAGE", `${path} can't be read: ${messageOf(e)}`, { cause: e });
  }
}

/** A reader sees the old file or the new one. @throws DroverError. */
export function write({ path, text, mode = 0o644 }: EmittedFile): void {
  const draft = `${path}.new`;
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o755 });
    rmSync(draft, { force: true }); // left by an emit that was killed
    writeFileSync(draft, text, { flag: "wx", mode: 0o600 });
    chmodSync(draft, mode); // whatever the umask is: systemctl reads units for everybody
    renameSync(draft, path);
  } catch (e) {
    throw new DroverError("DROVER_E_USAGE", `${path} can't be written: ${messageOf(e)}`, { cause: e });
  }
}

/** Writes emitted files whole, and never over a file that someone else wrote or edited. */
import { chmodSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { DroverError, errnoOf, messageOf } from "../../base/errors.ts";

export interface EmittedFile {
  readonly path: string;
  readonly text: string;
  /** 0644, unless it says otherwise. */
  readonly mode?: number;
}

/** In the first line of every unit and its companions: a file without it is not ours. */
export const isOurs = (text: string): boolean =>
  /^# Written by `drover (?:emit|install)\b/.test(text);

/** Why a file must not be replaced; undefined: it may be. */
export type Refusal = (file: EmittedFile, before: string) => string | undefined;

/**
 * Writes all the files, or none when `refuse` gives a reason for one of them.
 * @returns the outcome of each: "wrote", or "unchanged".
 * @throws DroverError DROVER_E_USAGE.
 */
export function writeAll(
  files: readonly EmittedFile[],
  refuse: Refusal,
): ("wrote" | "unchanged")[] {
  const before = files.map(({ path }) => contentOf(path));
  for (const [i, file] of files.entries()) {
    const text = before[i];
    const reason = text === undefined || text === file.text ? undefined : refuse(file, text);
    if (reason !== undefined)
      throw new DroverError("DROVER_E_USAGE", `${reason}. Nothing was changed`);
  }
  return files.map((file, i) => {
    if (before[i] === file.text) return "unchanged";
    write(file);
    return "wrote";
  });
}

/** @returns undefined when there is no such file. @throws DroverError when it can't be read. */
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
    chmodSync(draft, mode); // whatever the umask is: systemctl reads units for every user
    renameSync(draft, path);
  } catch (e) {
    throw new DroverError("DROVER_E_USAGE", `${path} can't be written: ${messageOf(e)}`, {
      cause: e,
    });
  }
}

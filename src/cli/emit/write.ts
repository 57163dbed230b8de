import { chmodSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { DroverError, errnoOf, messageOf } from "../../base/errors.ts";

export interface EmittedFile {
  readonly path: string;
  readonly text: string;
}

/** In the first line of every template: a file without it is somebody else's. */
const MARK = "# Written by `drover emit ";

/**
 * Writes all the files, or none when one of them would replace a file that drover has not written.
 * @returns what was done with each: "wrote", or "unchanged".
 */
export function writeAll(files: readonly EmittedFile[]): ("wrote" | "unchanged")[] {
  const before = files.map(({ path }) => contentOf(path));
  const foreign = files.find((_file, i) => before[i] !== undefined && !before[i].startsWith(MARK));
  if (foreign !== undefined)
    throw new DroverError(
      "DROVER_E_USAGE",
      `${foreign.path} was not written by drover: move it away, or choose another --prefix. Nothing was changed`,
    );
  return files.map((file, i) => {
    if (before[i] === file.text) return "unchanged";
    write(file);
    return "wrote";
  });
}

function contentOf(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch (e) {
    if (errnoOf(e) === "ENOENT") return undefined;
    throw new DroverError("DROVER_E_USAGE", `${path} can't be read: ${messageOf(e)}`, { cause: e });
  }
}

/** A reader sees the old file or the new one. */
function write({ path, text }: EmittedFile): void {
  const draft = `${path}.new`;
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o755 });
    rmSync(draft, { force: true }); // left by an emit that was killed
    writeFileSync(draft, text, { flag: "wx" });
    chmodSync(draft, 0o644); // whatever the umask is: systemctl reads units for everybody
    renameSync(draft, path);
  } catch (e) {
    throw new DroverError("DROVER_E_USAGE", `${path} can't be written: ${messageOf(e)}`, { cause: e });
  }
}

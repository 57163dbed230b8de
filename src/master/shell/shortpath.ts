import { createHash } from "node:crypto";
import { lstatSync, mkdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { DroverError } from "../../base/errors.ts";

/** sun_path holds 108 bytes with its final NUL: unix(7). */
export const LONGEST_SOCKET_PATH = 107;

export const fits = (path: string): boolean => Buffer.byteLength(path) <= LONGEST_SOCKET_PATH;

/**
 * Where sockets of a run directory go: the directory itself if the longest name fits, else a short private directory whose
 * name follows from the run directory's, so that every command finds it.
 * @param longest the longest file name that will be put there.
 */
export function socketDirectory(runDir: string, longest = "broker-4294967295.sock"): string {
  const wanted = resolve(runDir);
  if (fits(join(wanted, longest))) return wanted;
  const name = createHash("sha256").update(wanted).digest("hex").slice(0, 12);
  const base = process.env["XDG_RUNTIME_DIR"] ?? tmpdir();
  const short = join(fits(join(base, `drover-${name}`, longest)) ? base : "/tmp", `drover-${name}`);
  return short;
}

/**
 * Makes a directory only we can enter.
 * @throws DroverError when somebody else owns what stands there: in a shared /tmp that is an attack.
 */
export function privateDirectory(path: string): void {
  mkdirSync(path, { recursive: true, mode: 0o700 });
  const found = lstatSync(path);
  const uid = process.getuid?.();
  if (!found.isDirectory() || (uid !== undefined && found.uid !== uid)) {
    throw new DroverError(
      "DROVER_E_DATA_DIR",
      `${path} is not a directory of this user: sockets can't be put there. Set DROVER_RUN_DIR to a short path of your own`,
    );
  }
}

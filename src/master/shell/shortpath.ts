import { createHash } from "node:crypto";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

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

/** A small disk of a test's own: a tmpfs. Without the right to mount, the test is skipped and says so. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";

/** @param more options of tmpfs(5). @returns a folder on a disk of `size` bytes; undefined when the test was skipped. */
export function tinyDisk(t: TestContext, size: number, ...more: readonly string[]): string | undefined {
  const dir = mkdtempSync(join(tmpdir(), "drover-disk-"));
  const mounted = spawnSync("mount", ["-t", "tmpfs", "-o", [`size=${size}`, ...more].join(), "tmpfs", dir]);
  t.after(() => {
    if (mounted.status === 0) spawnSync("umount", ["-l", dir]); // open files may be closed after this
    rmSync(dir, { recursive: true, force: true });
  });
  if (mounted.status === 0) return dir;
  t.skip(`needs the right to mount: ${String(mounted.stderr ?? mounted.error)}`);
  return undefined;
}

/** Fills a disk to its last byte. @returns what frees it again. */
export function fillUp(disk: string): () => void {
  const ballast = join(disk, "ballast");
  spawnSync("dd", ["if=/dev/zero", `of=${ballast}`, "bs=4096"]);
  return () => rmSync(ballast);
}

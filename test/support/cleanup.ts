/** What a test leaves behind is removed in one hook, in the order that works: processes first, folders last. */
import { mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";

export { sent } from "./processes.ts";

interface Cleanup {
  /** Each ends processes and resolves when they are gone. */
  readonly ends: (() => Promise<void>)[];
  readonly folders: string[];
}
const cleanups = new WeakMap<TestContext, Cleanup>();

/** Folders into which a process of another hook still wrote: removed when this process ends. */
const left = new Set<string>();
process.once("exit", () => {
  for (const dir of left) if (!removed(dir)) process.stderr.write(`could not be removed: ${dir}\n`);
});

function removed(dir: string): boolean {
  try {
    rmSync(dir, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 });
    return true;
  } catch {
    return false; // another process wrote between the listing and the removal
  }
}

/** Hooks of a test run in the order of their registration, so that a folder's own hook would run before the kill of its daemon. */
function cleanupOf(t: TestContext): Cleanup {
  const known = cleanups.get(t);
  if (known !== undefined) return known;
  const cleanup: Cleanup = { ends: [], folders: [] };
  cleanups.set(t, cleanup);
  t.after(async () => {
    await Promise.all(cleanup.ends.map((end) => end()));
    for (const dir of cleanup.folders) if (!removed(dir)) left.add(dir);
  });
  return cleanup;
}

/** @param end ends processes of this test at its end, before its folders are removed; resolves when they are gone. */
export const atEnd = (t: TestContext, end: () => Promise<void>): void => void cleanupOf(t).ends.push(end);

/** @returns a new, empty folder with a real path, mode 0700. It is removed when the test has ended. */
export function folder(t: TestContext): string {
  const dir = realpathSync(mkdtempSync(join(tmpdir(), "drover-")));
  cleanupOf(t).folders.push(dir);
  return dir;
}

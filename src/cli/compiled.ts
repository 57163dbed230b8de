/**
 * What V8 made of drover's modules, kept beside them by the build (bin/rehearse.mjs): a start compiles nothing that the rehearsal ran. What does not
 * fit, because the text, Node.js, its flags or the CPU is another, is compiled as ever.
 */
import { accessSync, chmodSync, constants, existsSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { isBuilt, ownPath } from "../base/place.ts";

export function useCompiled(): void {
  if (!isBuilt) return;
  const directory = ownPath("dist/compiled");
  // Made by this Node.js: another one would find nothing, and write there.
  const made = (): string | undefined => readdirSync(directory).find((name) => name.startsWith(`${process.version}-${process.arch}-`));
  const folder = existsSync(directory) ? made() : undefined;
  if (folder === undefined) return;
  const { enableCompileCache, flushCompileCache } = process.getBuiltinModule("node:module");
  // `portable`: found by where the modules are beside it, so that the whole may be moved.
  enableCompileCache({ directory, portable: true });
  process.once("exit", () => {
    if (!isWritable(join(directory, folder))) return;
    flushCompileCache();
    share(join(directory, folder));
  });
}

function isWritable(folder: string): boolean {
  try {
    accessSync(folder, constants.W_OK);
    return true;
  } catch {
    return false; // an installation: Node.js adds nothing there
  }
}

/** Node.js adds modules that were loaded late with mode 0600; the service may run as another user. */
function share(folder: string): void {
  const own = process.getuid?.();
  for (const name of readdirSync(folder).filter((entry) => /^[0-9a-f]{8}$/.test(entry))) {
    const path = join(folder, name);
    const { uid, mode } = statSync(path);
    if (uid === own && (mode & 0o044) !== 0o044) chmodSync(path, 0o644);
  }
}

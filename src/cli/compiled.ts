/**
 * What V8 made of drover's modules, kept beside them by the build (bin/rehearse.mjs): a start compiles nothing that the rehearsal ran. What does not
 * fit, because the text, Node.js, its flags or the CPU is another, is compiled as ever.
 */
import { existsSync, readdirSync } from "node:fs";
import { isBuilt, ownPath } from "../base/place.ts";

export function useCompiled(): void {
  if (!isBuilt) return;
  const directory = ownPath("dist/compiled");
  // Made by this Node.js: another one would find nothing, and write there.
  const made = (): boolean => readdirSync(directory).some((name) => name.startsWith(`${process.version}-${process.arch}-`));
  // `portable`: found by where the modules are beside it, so that the whole may be moved.
  if (existsSync(directory) && made()) process.getBuiltinModule("node:module").enableCompileCache({ directory, portable: true });
}

/**
 * What V8 made of drover's modules, kept beside them by the build (bin/rehearse.mjs): a start compiles nothing that the rehearsal ran. What does not
 * fit, because the text or Node.js is another, is compiled as ever.
 */
import { existsSync } from "node:fs";
import { isBuilt, ownPath } from "../base/place.ts";

export function useCompiled(): void {
  if (!isBuilt) return;
  const directory = ownPath("dist/compiled");
  // `portable`: by their places beside it, so that the whole may be moved. A folder that is not there would be made.
  if (existsSync(directory)) process.getBuiltinModule("node:module").enableCompileCache({ directory, portable: true });
}

/** Results as they are kept. */
import { existsSync, readFileSync } from "node:fs";
import type { Results } from "./results.ts";

/** @returns undefined when nothing has been measured. @throws when the file is of another kind. */
export function readResults(file: string): Results | undefined {
  if (!existsSync(file)) return undefined;
  const results = JSON.parse(readFileSync(file, "utf8")) as Results;
  if (results.format !== "drover-bench" || results.version !== 1) throw new Error(`${file} holds no results of this bench`);
  return results;
}

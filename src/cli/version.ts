import { readFileSync } from "node:fs";
import { join } from "node:path";
import { PACKAGE } from "./plan.ts";

let read: string | undefined;

/** The version of the package this file belongs to, as this process runs it: read once. */
export const version = (): string =>
  (read ??= (JSON.parse(readFileSync(join(PACKAGE, "package.json"), "utf8")) as { version: string }).version);

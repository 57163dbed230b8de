import { readFileSync } from "node:fs";
import { join } from "node:path";
import { PACKAGE } from "./plan.ts";

/** The version of the package this file belongs to. */
export const version = (): string => (JSON.parse(readFileSync(join(PACKAGE, "package.json"), "utf8")) as { version: string }).version;

/** The size of things: lines of the supervisor and of everything, runtime dependencies, settings. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { SETTINGS } from "../../src/settings/table.ts";

const ROOT = new URL("../../", import.meta.url).pathname;

export interface Size {
  /** Of base, settings, master and worker. */
  readonly supervisorLines: number;
  readonly sourceLines: number;
  readonly sourceFiles: number;
  readonly runtimeDependencies: number;
  readonly settings: number;
}

export function sizeOfThings(): Size {
  const files = readdirSync(join(ROOT, "src"), { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith(".ts"));
  const lines = (of: readonly string[]): number =>
    of.reduce((sum, file) => sum + readFileSync(join(ROOT, "src", file), "utf8").split("\n").length - 1, 0);
  const { dependencies } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as { dependencies: Record<string, string> };
  return {
    supervisorLines: lines(files.filter((file) => /^(base|settings|master|worker)\//.test(file))),
    sourceLines: lines(files),
    sourceFiles: files.length,
    runtimeDependencies: Object.keys(dependencies).length,
    settings: SETTINGS.length,
  };
}

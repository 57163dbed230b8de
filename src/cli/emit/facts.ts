import { realpathSync } from "node:fs";
import { ownPath } from "../../base/place.ts";
import { mebibytes } from "../../base/units.ts";
import { resolveSettings, type Resolved } from "../../settings/resolve.ts";
import type { Machine } from "../../settings/machine.ts";
import { version } from "../version.ts";
import type { Facts } from "./artefact.ts";

/** @param resolved the settings of this installation. */
export const factsOf = ({ settings, envFile }: Resolved, machine: Machine): Facts => ({
  settings,
  machine,
  envFile,
  root: realpathSync(ownPath("")),
  version: version(),
});

const TYPICAL: Machine = { cpus: 2, memory: mebibytes(4_096), constrainedBy: "ram", nofile: 65_536, container: false };

const absent = (path: string): never => {
  throw Object.assign(new Error(`ENOENT: no such file or directory, open '${path}'`), { code: "ENOENT" });
};

/**
 * An installation with default settings, the same on every machine: for the committed files.
 * @param flags settings by name, as an operator writes them.
 */
export function defaultFacts(flags: ReadonlyMap<string, string> = new Map()): Facts {
  const resolved = resolveSettings({ flags, env: {}, cwd: "/opt/drover", machine: TYPICAL, readFile: absent });
  return { ...factsOf(resolved, TYPICAL), root: "/opt/drover/current" };
}

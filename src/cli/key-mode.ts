/** Keys that more users can read than need to. */
import { statSync } from "node:fs";
import type { Plan } from "./plan.ts";

/** A copy that systemd makes has the mode that systemd gives it, in a directory of the service's own. */
const isCredential = (file: string): boolean => {
  const folder = process.env["CREDENTIALS_DIRECTORY"];
  return folder !== undefined && folder !== "" && file.startsWith(`${folder}/`);
};

/** @returns a warning for a Google key that its group or everybody can read. What is missing has an error of its own. */
export function keyModeWarnings({ keyFile, demo }: Pick<Plan, "keyFile" | "demo">): string[] {
  if (keyFile === undefined || demo || isCredential(keyFile)) return [];
  const mode = (statSync(keyFile, { throwIfNoEntry: false })?.mode ?? 0) & 0o777;
  if ((mode & 0o044) === 0) return [];
  const who = (mode & 0o004) === 0 ? "its group" : "every user of this machine";
  return [`the Google key ${keyFile} has mode 0${mode.toString(8)} (expected 0600): ${who} can read it. chmod 600 ${keyFile}`];
}

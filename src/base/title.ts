/** How a process of drover shows in `ps`: its title as its command line, and a name for `top`, `ps -C` and the kernel's log. */
import { writeFileSync } from "node:fs";
import { basename, extname } from "node:path";
import type { Role } from "./protocol.ts";

export type TitledRole = "master" | "hooks" | Role;

/** Of an application's name. The title takes the place of the arguments in memory, and may not be longer than they were. */
const LONGEST_NAME = 32;
/** What the built-in service is called. */
const BUILT_IN = "sheets";

/** @param app the application's path; undefined: the built-in service. @returns its base name, fit for one line. */
export function appName(app: string | undefined): string {
  if (app === undefined) return BUILT_IN;
  const name = basename(app, extname(app)).replaceAll(/[^\p{L}\p{N}\p{P}\p{S} ]/gu, "?");
  const letters = Array.from(name);
  return letters.length <= LONGEST_NAME ? name : `${letters.slice(0, LONGEST_NAME - 1).join("")}…`;
}

/** `drover: worker 3`: workers alone are numbered. */
const placeTitle = (role: TitledRole, slot: number): string => (role === "worker" ? `drover: worker ${slot}` : `drover: ${role}`);

/** `drover: worker 3 [app]`. */
export const titleOf = (role: TitledRole, slot: number, name: string): string => `${placeTitle(role, slot)} [${name}]`;

/** The kernel keeps 15 bytes, so a worker's number has no place in it. */
export const commOf = (role: TitledRole): string => `drover-${role}`;

/** Names this process. A title that does not fit over the arguments goes without the application. */
export function nameProcess(role: TitledRole, slot: number, name: string): void {
  const title = titleOf(role, slot, name);
  if (process.title === title) return;
  process.title = title;
  if (process.title !== title) process.title = placeTitle(role, slot);
  if (process.platform !== "linux") return;
  try {
    writeFileSync("/proc/self/comm", commOf(role)); // libuv has put the title's first 15 bytes there
  } catch {
    return; // a /proc that is read-only or not mounted: the title's beginning stays
  }
}

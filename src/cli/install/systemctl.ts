/** systemd's own programs, as an installation uses them. */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { DroverError } from "../../base/errors.ts";

export interface Ran {
  readonly ok: boolean;
  /** What it printed. */
  readonly said: string;
}

/** Of a start that waits for every worker. */
const LIMIT_MS = 300_000;

/** @returns ok false also when there is no such program. */
export function run(program: string, ...args: string[]): Ran {
  const { status, stdout, stderr, error } = spawnSync(program, args, {
    encoding: "utf8",
    timeout: LIMIT_MS,
    stdio: ["ignore", "pipe", "pipe"],
  });
  return { ok: status === 0, said: `${stdout ?? ""}${stderr ?? ""}${error === undefined ? "" : error.message}`.trim() };
}

/** @throws DroverError with what it said. */
export function must(program: string, ...args: string[]): string {
  const { ok, said } = run(program, ...args);
  if (ok) return said;
  throw new DroverError("DROVER_E_INSTALL", `${[program, ...args].join(" ")} failed: ${said}`);
}

/** As sd_booted(3). */
export const isBooted = (): boolean => existsSync("/run/systemd/system");

export const isActive = (unit: string): boolean => ["active", "activating", "reloading"].includes(run("systemctl", "is-active", unit).said);

/** Services of drover's that run now. */
export const activeServices = (): readonly string[] =>
  run("systemctl", "list-units", "--plain", "--no-legend", "--state=active,activating,reloading", "drover.service", "drover@*.service")
    .said.split("\n")
    .map((line) => line.trim().split(/\s+/)[0] ?? "")
    .filter((unit) => /^drover(?:@.+)?\.service$/.test(unit));

/** The last words of a unit. */
export function lastWords(unit: string): string {
  run("journalctl", "--sync");
  return run("journalctl", `--unit=${unit}`, "--lines=12", "--output=cat", "--no-pager").said;
}

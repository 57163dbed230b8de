/** Makes another version the current one, under services that run: checked first, and back again when one of them does not come up. */
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { DroverError } from "../../base/errors.ts";
import { namesOf, SINGLE, type UnitNames } from "../../tools/emit/units.ts";
import { write, type EmittedFile } from "../../tools/emit/write.ts";
import { RUNTIME } from "./package.ts";
import { NODE_FLAGS } from "./plan.ts";
import { lastWords, must, run } from "./systemctl.ts";
import { CURRENT, pointTo } from "./version.ts";

const cant = (why: string): DroverError => new DroverError("DROVER_E_INSTALL", why);

/** What the unit of a service is called, from the unit. */
export function namesOfUnit(unit: string): UnitNames {
  const event = /^drover@(.+)\.service$/.exec(unit)?.[1];
  return event === undefined ? SINGLE : namesOf(event);
}

/** The environment that the unit gives to a start, for a check with these credentials: else it would look for the journal elsewhere. */
export const checkEnvironment = ({ dir }: Pick<UnitNames, "dir">, credentials: string): NodeJS.ProcessEnv => ({
  PATH: process.env["PATH"],
  CREDENTIALS_DIRECTORY: credentials,
  STATE_DIRECTORY: `/var/lib/${dir}`,
  RUNTIME_DIRECTORY: `/run/${dir}`,
  LOGS_DIRECTORY: `/var/log/${dir}`,
  INVOCATION_ID: "check",
  JOURNAL_STREAM: "0:0",
});

/**
 * Asks a version's own `drover check` about a service: its env file, its key and its journal, as they are now.
 * Offline: neither Google's absence nor a renamed tab must prevent an upgrade.
 * @param folder the version's. @throws DroverError with its words.
 */
export function checkWith(folder: string, names: UnitNames): void {
  const { envFile, keyFile, service } = names;
  const credentials = mkdtempSync("/run/drover-check-");
  try {
    if (existsSync(keyFile)) symlinkSync(keyFile, join(credentials, "google-key"));
    // The unit allows as many files, and says that systemd has started it.
    const command = [
      "-c",
      'ulimit -n 65536 2>/dev/null || :; exec "$@"',
      "sh",
      join(folder, RUNTIME),
      ...NODE_FLAGS,
      "--",
      join(folder, "dist/cli/main.js"),
    ];
    const ran = spawnSync("sh", [...command, "check", "--offline", "--env-file", envFile], {
      cwd: "/",
      encoding: "utf8",
      timeout: 120_000,
      env: checkEnvironment(names, credentials),
    });
    if (ran.status !== 0)
      throw cant(
        `${folder} can't take over ${service}: ${ran.stderr.trim() || (ran.error?.message ?? `check left with ${ran.status}`)}. Nothing that runs was changed`,
      );
  } finally {
    rmSync(credentials, { recursive: true });
  }
}

export interface Switch {
  /** What `current` is to lead to, and led to. */
  readonly to: string;
  readonly from: string | undefined;
  /** What was written for it, as it was before; text undefined: it was not there. */
  readonly replaced: readonly { readonly path: string; readonly text: string | undefined }[];
  readonly services: readonly string[];
}

function restart(services: readonly string[]): string | undefined {
  for (const service of services) {
    const { ok } = run("systemctl", "restart", service);
    if (!ok) return `${service} did not come up: ${lastWords(service)}`;
  }
  return undefined;
}

/** Does what the new files need. @throws what it throws, when the files are as they were before. */
export function orPutBack(replaced: Switch["replaced"], work: () => void): void {
  try {
    work();
  } catch (e) {
    putBack(replaced);
    throw e;
  }
}

function putBack(replaced: Switch["replaced"]): void {
  for (const { path, text } of replaced) {
    if (text === undefined) rmSync(path, { force: true });
    else write({ path, text } satisfies EmittedFile);
  }
}

function goBack({ from, replaced, services }: Switch): string {
  if (from !== undefined) pointTo(CURRENT, from);
  putBack(replaced);
  must("systemctl", "daemon-reload");
  run("systemctl", "reset-failed", ...services);
  const failed = restart(services);
  return failed === undefined ? `${from ?? "what ran before"} serves again` : `and ${from ?? "what ran before"} did not either: ${failed}`;
}

/** @throws DroverError when a service does not come up with it; then all is as it was, and what ran before serves again. */
export function switchTo(change: Switch): void {
  pointTo(CURRENT, change.to);
  must("systemctl", "daemon-reload");
  const failed = restart(change.services);
  if (failed !== undefined) throw cant(`${change.to} was given up: ${failed}\n${goBack(change)}`);
}

/** What the units depend on: where drover is, what runs it, and the version of systemd. */
import { spawnSync } from "node:child_process";
import { accessSync, constants, realpathSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { DroverError } from "../../base/errors.ts";
import { ownPath } from "../../base/place.ts";
import { ffiSender } from "../../master/shell/notify-ffi.ts";

export interface Place {
  /** The folder that holds bin, dist and node_modules. */
  readonly root: string;
  /** The runtime that executes this command, and will execute the service. */
  readonly node: string;
  /** The major version: 252. */
  readonly systemd: number;
  /** Whether this runtime can send datagrams itself. */
  readonly ffi: boolean;
  /** The words that start drover, before its command; absent: its bin/drover. */
  readonly start?: readonly string[];
}

/** @param systemd overrides the version found, for a file that goes to another machine. */
export const thisPlace = (systemd: number | undefined): Place => ({
  root: realpathSync(ownPath("")),
  node: realpathSync(process.execPath),
  systemd: systemd ?? systemdVersion(),
  ffi: ffiWorks(),
});

function systemdVersion(): number {
  const { stdout, error } = spawnSync("systemctl", ["--version"], {
    encoding: "utf8",
    timeout: 10_000,
  });
  const version = /^systemd (\d+)/.exec(stdout ?? "")?.[1];
  if (version !== undefined) return Number(version);
  throw new DroverError(
    "DROVER_E_USAGE",
    `systemctl --version names no version (${error?.message ?? stdout.split("\n", 1)[0]}): say which one the files are for: --systemd-version 252`,
  );
}

function ffiWorks(): boolean {
  try {
    ffiSender("/run/systemd/notify");
    return true;
  } catch {
    return false; // no working node:ffi
  }
}

/** Why the unit could not run drover from this place, as sentences for the operator. */
export function obstacles({ root, node }: Place): string[] {
  const found: string[] = [];
  if (/^\/(tmp|var\/tmp)\//.test(root))
    found.push(`${root} is in a temporary folder, which the unit does not see (PrivateTmp=)`);
  const closed = new Set([join(root, "bin", "drover"), node].flatMap(closedTo));
  for (const path of closed)
    found.push(`${path} is closed to the user drover (chmod o+rx, or install under /opt)`);
  try {
    accessSync(join(root, "dist", "cli", "main.js"), constants.R_OK);
  } catch {
    found.push(`${root} is not built: npm run build`);
  }
  return found;
}

/** The file and the folders above it that other users may not enter or execute. */
function closedTo(path: string): string[] {
  const mode = statSync(path, { throwIfNoEntry: false })?.mode ?? 0;
  const above = path === dirname(path) ? [] : closedTo(dirname(path));
  return (mode & 0o001) === 0 && path !== "/" ? [path, ...above] : above;
}

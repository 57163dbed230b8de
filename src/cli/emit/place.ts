import { execFileSync } from "node:child_process";
import { accessSync, constants, realpathSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { DroverError, messageOf } from "../../base/errors.ts";
import { ownPath } from "../../base/place.ts";
import { ffiSender } from "../../master/shell/notify-ffi.ts";

/** What the files depend on: where drover stands, and what runs it. */
export interface Place {
  /** The folder that holds bin, dist and node_modules. */
  readonly root: string;
  /** The runtime that executes this command, and will execute the service. */
  readonly node: string;
  /** The major version: 252. */
  readonly systemd: number;
  /** Whether this runtime can send datagrams itself. */
  readonly ffi: boolean;
  /** What starts drover there, before its command; left out: its bin/drover. */
  readonly start?: readonly string[];
}

/** @param systemd overrides the version found, for a file that goes to another machine. */
export function thisPlace(systemd: number | undefined): Place {
  return {
    root: realpathSync(ownPath("")),
    node: realpathSync(process.execPath),
    systemd: systemd ?? systemdVersion(),
    ffi: ffiWorks(),
  };
}

function systemdVersion(): number {
  const ask = "say which one the files are for: --systemd-version 252";
  let said: string;
  try {
    said = execFileSync("systemctl", ["--version"], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"], timeout: 10_000 });
  } catch (e) {
    throw new DroverError("DROVER_E_USAGE", `systemctl --version did not work (${messageOf(e)}): ${ask}`, { cause: e });
  }
  const version = Number(/^systemd (\d+)/.exec(said)?.[1]);
  if (Number.isInteger(version)) return version;
  throw new DroverError("DROVER_E_USAGE", `systemctl --version says "${said.split("\n", 1)[0]}", which is no version: ${ask}`);
}

function ffiWorks(): boolean {
  try {
    ffiSender("/run/systemd/notify");
    return true;
  } catch {
    return false; // that is the answer: no working node:ffi
  }
}

/** Why the unit could not run drover from where it stands, as sentences for the operator. */
export function obstacles(place: Place): string[] {
  const found: string[] = [];
  if (/^\/(tmp|var\/tmp)\//.test(place.root))
    found.push(`${place.root} lies in a temporary folder, which the unit does not see (PrivateTmp=)`);
  const closed = [join(place.root, "bin", "drover"), place.node].flatMap(closedTo);
  for (const path of new Set(closed)) found.push(`${path} is closed to the user drover (chmod o+rx, or install under /opt)`);
  try {
    accessSync(join(place.root, "dist", "cli", "main.js"), constants.R_OK);
  } catch {
    found.push(`${place.root} is not built: npm run build`);
  }
  return found;
}

/** The folders on the way, and the file itself, that other users may not enter or execute. */
function closedTo(file: string): string[] {
  const way: string[] = [];
  for (let at = file; at !== dirname(at); at = dirname(at)) way.push(at);
  return way.filter((path) => ((statSync(path, { throwIfNoEntry: false })?.mode ?? 0) & 0o001) === 0);
}

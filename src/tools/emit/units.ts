/** The systemd units: their names, and the values that fill them for one place and one version of systemd. */
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { DroverError } from "../../base/errors.ts";
import { EXIT } from "../../base/exit.ts";
import { addressName, type BindAddress } from "../../settings/addresses.ts";
import type { Place } from "./place.ts";

const wrong = (text: string): DroverError => new DroverError("DROVER_E_USAGE", text);

const unitNames = (unit: string, user: string, event: string, key: string) => ({
  service: `${unit}.service`,
  socket: `${unit}.socket`,
  /** For the unit's description. */
  event: event === "" ? "" : ` (${event})`,
  /** The user and the group that it runs as. */
  user,
  /** Below /var/lib, /var/log and /run. */
  dir: user,
  envFile: `/etc/drover/${event === "" ? "drover" : event}.env`,
  keyFile: `/etc/drover/${key}.json`,
  /** In sysusers.d, tmpfiles.d and logrotate.d. */
  file: user,
});
/** The names of an installation: the only one of its machine, or one of several events. */
export type UnitNames = Readonly<ReturnType<typeof unitNames>>;
export const SINGLE: UnitNames = unitNames("drover", "drover", "", "google-key");

/** A name of a user, a folder and a unit at once: useradd(8) accepts no more. */
export const EVENT = /^(?!drover$)[a-z][a-z0-9-]{0,22}$/;

/** @param event matches EVENT, or is `%i`: in the unit that all events share. */
export const namesOf = (event: string): UnitNames =>
  unitNames(`drover@${event}`, `drover-${event}`, event, `${event}.google-key`);

/** Whose units they are, and which command wrote them. */
export interface Purpose {
  readonly names: UnitNames;
  readonly writer: string;
}
export const EMITTED: Purpose = { names: SINGLE, writer: "drover emit systemd" };

/** Everything that the templates need. Pure. @throws DroverError for a path or an address that a unit can't carry. */
export function unitValues(
  place: Place,
  bind: readonly BindAddress[],
  { names, writer }: Purpose = EMITTED,
): object {
  const { root, start = [join(root, "bin", "drover")] } = place;
  return {
    ...names,
    writer,
    // Each event's env file comes from `drover install`.
    single: names === SINGLE,
    root: inUnit(root),
    documentation: specifierFree(pathToFileURL(join(root, "docs", "systemd.md")).href),
    drover: start.map(executable).join(" "),
    ffi: place.ffi,
    // An older systemd calls OpenFile= (253) and RestartSteps= (254) unknown.
    openFile: place.systemd >= 253,
    restartSteps: place.systemd >= 254,
    finalExits: Object.values(EXIT)
      .flatMap(({ code, final }) => (final ? [code] : []))
      .join(" "),
    inHome: /^\/(home|root|run\/user)\//.test(`${root}/`),
    listen: bind.map((address) => listenStream(address, names)),
  };
}

/** systemd.socket(5): numeric addresses and paths only. */
function listenStream(
  bound: BindAddress,
  { dir }: UnitNames,
): { address: string; isPath: boolean } {
  const name = addressName(bound);
  if (bound.kind === "fd") throw wrong(`--bind ${name}: a socket unit binds addresses itself`);
  if (bound.kind === "unix") {
    if (!bound.path.startsWith(`/run/${dir}/`))
      return { address: inUnit(bound.path), isPath: true };
    throw wrong(`--bind ${name}: systemd removes /run/${dir} at every stop: take /run/${dir}.sock`);
  }
  const numeric = { ...bound, host: bound.host === "localhost" ? "127.0.0.1" : bound.host };
  if (bound.port > 0 && /^[\d.]+$|:/.test(numeric.host))
    return { address: addressName(numeric), isPath: false };
  throw wrong(`--bind ${name}: a socket unit needs a numeric address and a port above 0`);
}

/** `%` begins a specifier of systemd.unit(5). */
const specifierFree = (text: string): string => text.replaceAll("%", "%%");

/** The first word of ExecStart= is in quotes if it has a blank. */
function executable(path: string): string {
  const text = inUnit(path);
  return text.includes(" ") ? `"${text}"` : text;
}

/** @throws DroverError for a path that would need escapes in a unit file. */
function inUnit(path: string): string {
  if (/^[\p{L}\p{N} /._+:,=~%@-]+$/u.test(path)) return specifierFree(path);
  throw wrong(
    `${JSON.stringify(path)} holds characters that a unit file can't carry: install drover elsewhere`,
  );
}

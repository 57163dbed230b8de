/** `drover emit systemd`: the units and their companions, for this place and this systemd. */
import { join, resolve } from "node:path";
import { DroverError } from "../../base/errors.ts";
import { addresses, type BindAddress } from "../../settings/addresses.ts";
import { readFlags, type Flag } from "../flags.ts";
import { obstacles, thisPlace, type Place } from "./place.ts";
import { render } from "./render.ts";
import { EMITTED, unitValues, type Purpose } from "./units.ts";
import { matching } from "./values.ts";
import { isOurs, writeAll, type EmittedFile, type Refusal } from "./write.ts";

const wrong = (text: string): DroverError => new DroverError("DROVER_E_USAGE", text);

const folder = (text: string, flag: string): string => {
  if (text === "") throw wrong(`${flag} needs the name of a folder`);
  return resolve(text);
};
function bindList(text: string, flag: string): readonly BindAddress[] {
  const list = addresses.parse(text, "/");
  if (!list.ok) throw wrong(`${flag} ${text}: expected ${list.problem}`);
  return list.value;
}
const version = matching(/^[1-9]\d{2}$/, "a number such as 252");

export const SYSTEMD_FLAGS = [
  { name: "prefix", value: "DIR", default: "/etc", help: "where the files go", parse: folder },
  { name: "root", value: "DIR", default: "/", help: "a root above the prefix", parse: folder },
  {
    name: "bind",
    value: "LIST",
    default: "127.0.0.1:8080",
    help: "the socket unit's addresses",
    parse: bindList,
  },
  {
    name: "systemd-version",
    value: "N",
    help: "for another machine (the version found here)",
    parse: (text: string, flag: string) => Number(version(text, flag)),
  },
] as const satisfies readonly Flag[];

/** Templates, and where each goes below the prefix: the same in /etc, /usr/lib and /run. */
const FILES: readonly (readonly [template: string, path: (names: Purpose["names"]) => string])[] = [
  ["systemd/drover.service", ({ service }) => `systemd/system/${service}`],
  ["systemd/drover.socket", ({ socket }) => `systemd/system/${socket}`],
  ["systemd/drover.sysusers.conf", ({ file }) => `sysusers.d/${file}.conf`],
  ["systemd/drover.tmpfiles.conf", ({ file }) => `tmpfiles.d/${file}.conf`],
  ["config/logrotate.conf", ({ file }) => `logrotate.d/${file}`],
];

/** @throws DroverError before anything is written. */
export function filled(
  place: Place,
  bind: readonly BindAddress[],
  prefix: string,
  purpose = EMITTED,
): EmittedFile[] {
  const values = unitValues(place, bind, purpose);
  return FILES.map(([template, path]) => ({
    path: join(prefix, path(purpose.names)),
    text: render(template, values),
  }));
}

/** The unit that several events share. */
export const sharedUnit = (place: Place, prefix: string, purpose: Purpose): EmittedFile => ({
  path: join(prefix, "systemd/system/drover@.service"),
  text: render("systemd/drover.service", unitValues(place, [], purpose)),
});

/** @returns the exit code. @throws DroverError DROVER_E_USAGE. */
export function emitSystemd(argv: readonly string[]): number {
  const rows = [...SYSTEMD_FLAGS, { name: "dry-run", help: "" }] as const;
  const flags = readFlags("drover emit systemd", rows, argv);
  const { prefix, root } = flags;
  const place = thisPlace(flags["systemd-version"]);
  const files = filled(place, flags.bind, join(root, prefix));
  if (flags["dry-run"]) {
    process.stdout.write(files.map(({ path, text }) => `# ${path}\n${text}`).join("\n"));
    return 0;
  }
  const outcomes = writeAll(files, foreign);
  for (const sentence of obstacles(place))
    process.stderr.write(`drover: before you start it: ${sentence}\n`);
  const lines = files.map(({ path }, i) => `${outcomes[i]} ${path}\n`);
  const found = root === "/" && ["/etc", "/usr/lib", "/usr/local/lib", "/run"].includes(prefix);
  const values = { found, folder: join(root, prefix) };
  process.stdout.write(lines.join("") + render("config/emit/next/systemd.txt", values));
  return 0;
}

/** A newer version replaces the units of an older one. */
const foreign: Refusal = ({ path }, before) =>
  isOurs(before)
    ? undefined
    : `${path} was not written by drover: move it away, or choose another --prefix`;

import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { DroverError, messageOf } from "../../base/errors.ts";
import { ownPath } from "../../base/place.ts";
import { addresses, type BindAddress } from "../../settings/addresses.ts";
import { fill } from "./fill.ts";
import type { UnitNames } from "./names.ts";
import { obstacles, thisPlace, type Place } from "./place.ts";
import { EMITTED, unitValues, type Purpose } from "./units.ts";
import { writeAll, type EmittedFile } from "./write.ts";

/** This package: what it fills may be for another place. */
const TEMPLATES = ownPath("");

const OPTIONS = {
  prefix: { type: "string", default: "/etc" },
  root: { type: "string", default: "/" },
  bind: { type: "string", default: "127.0.0.1:8080" },
  "systemd-version": { type: "string" },
  "dry-run": { type: "boolean", default: false },
} as const;

/** The templates, and where each goes below the prefix: the same in /etc, /usr/lib and /run. */
const FILES: readonly { readonly template: string; readonly to: (names: UnitNames) => string }[] = [
  { template: "systemd/drover.service", to: ({ service }) => `systemd/system/${service}` },
  { template: "systemd/drover.socket", to: ({ socket }) => `systemd/system/${socket}` },
  { template: "systemd/drover.sysusers.conf", to: ({ file }) => `sysusers.d/${file}.conf` },
  { template: "systemd/drover.tmpfiles.conf", to: ({ file }) => `tmpfiles.d/${file}.conf` },
  { template: "config/logrotate.conf", to: ({ file }) => `logrotate.d/${file}` },
];

/**
 * `drover emit systemd [--prefix /etc] [--root DIR] [--bind LIST] [--systemd-version N] [--dry-run]`: fills the templates for
 * this place and this systemd, writes them below root + prefix, and says what to type next.
 */
export function emitSystemd(argv: readonly string[]): number {
  const options = parse(argv);
  const place = thisPlace(options.systemd);
  const files = filled(place, options.bind, join(options.root, options.prefix));
  if (options.dryRun) {
    process.stdout.write(files.map((file) => `# ${file.path}\n${file.text}`).join("\n"));
    return 0;
  }
  const done = writeAll(files);
  const blocked = obstacles(place).map((sentence) => `drover: before you start it: ${sentence}\n`);
  process.stderr.write(blocked.join(""));
  process.stdout.write(`${files.map((file, i) => `${done[i]} ${file.path}`).join("\n")}\n${next(options)}`);
  return 0;
}

/** Every file, filled. @throws DroverError before anything is written. */
export function filled(place: Place, bind: readonly BindAddress[], folder: string, purpose = EMITTED): EmittedFile[] {
  return FILES.map(({ template, to }) => ({ path: join(folder, to(purpose.names)), text: fillOne(template, place, bind, purpose) }));
}

/** The unit that several events share, filled for all of them. */
export function sharedUnit(place: Place, folder: string, purpose: Purpose): EmittedFile {
  return { path: join(folder, "systemd/system/drover@.service"), text: fillOne("systemd/drover.service", place, [], purpose) };
}

function fillOne(template: string, place: Place, bind: readonly BindAddress[], purpose: Purpose): string {
  return fill(readFileSync(join(TEMPLATES, template), "utf8"), unitValues(place, bind, purpose), template);
}

interface EmitOptions {
  readonly prefix: string;
  readonly root: string;
  readonly bind: readonly BindAddress[];
  readonly systemd: number | undefined;
  readonly dryRun: boolean;
}

function parse(argv: readonly string[]): EmitOptions {
  let values: ReturnType<typeof parseArgs<{ options: typeof OPTIONS }>>["values"];
  try {
    ({ values } = parseArgs({ args: [...argv], options: OPTIONS }));
  } catch (e) {
    throw new DroverError("DROVER_E_USAGE", `drover emit systemd: ${messageOf(e)}`, { cause: e });
  }
  const version = values["systemd-version"];
  if (version !== undefined && !/^[1-9]\d{2}$/.test(version))
    throw new DroverError("DROVER_E_USAGE", `--systemd-version ${version}: expected a number such as 252`);
  if (values.prefix === "" || values.root === "") throw new DroverError("DROVER_E_USAGE", "--prefix and --root need the name of a folder");
  const bind = addresses.parse(values.bind, "/");
  if (!bind.ok) throw new DroverError("DROVER_E_USAGE", `--bind ${values.bind}: expected ${bind.problem}`);
  return {
    prefix: resolve(values.prefix),
    root: resolve(values.root),
    bind: bind.value,
    systemd: version === undefined ? undefined : Number(version),
    dryRun: values["dry-run"],
  };
}

function next({ prefix, root }: EmitOptions): string {
  if (root !== "/" || !["/etc", "/usr/lib", "/usr/local/lib", "/run"].includes(prefix))
    return `systemd does not look there. Check with: systemd-analyze verify --man=no ${join(root, prefix)}/systemd/system/drover.{service,socket}\n`;
  return [
    "Next, as root:",
    "  systemd-sysusers && systemd-tmpfiles --create     # the user, /etc/drover/drover.env",
    "  nano /etc/drover/drover.env                       # your spreadsheet, or DROVER_DEMO=on",
    "  install -m 600 KEY.json /etc/drover/google-key.json",
    "  systemctl daemon-reload && systemctl enable --now drover.service",
    "  systemctl status drover.service",
    "",
  ].join("\n");
}

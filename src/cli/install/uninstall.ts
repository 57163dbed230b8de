/** `drover uninstall`: takes away what `drover install` wrote. Settings, key, data and log stay, unless --purge takes them too. */
import { existsSync, lstatSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { DroverError } from "../../base/errors.ts";
import { EXIT } from "../../base/exit.ts";
import { inspectJournal } from "../../broker/journal/inspect.ts";
import { contentOf, isOurs } from "../../tools/emit/write.ts";
import { mustStayInside, touched } from "./inside.ts";
import { parseUninstall, type UninstallOptions } from "./options.ts";
import { isActive, isBooted, must, run } from "./systemctl.ts";
import { CURRENT, HOME, linkAt, noteOf } from "./version.ts";

const cant = (why: string): DroverError => new DroverError("DROVER_E_INSTALL", why);
const UNITS = "etc/systemd/system";

/** Other installations on this machine: their sockets name them. */
function others({ root, names }: UninstallOptions): readonly string[] {
  const folder = join(root, UNITS);
  if (!existsSync(folder)) return [];
  return readdirSync(folder).filter(
    (name) => /^drover(?:@.+)?\.socket$/.test(name) && name !== names.socket && isOurs(contentOf(join(folder, name)) ?? ""),
  );
}

/** Files that an installation wrote for this service. */
function ownFiles(options: UninstallOptions): readonly string[] {
  const { root, names } = options;
  const events = others(options).some((name) => name.startsWith("drover@"));
  const shared = options.event !== undefined && !events ? [`${UNITS}/drover@.service`] : [];
  const single = options.event === undefined ? [`${UNITS}/${names.service}`] : [];
  const all = [
    ...single,
    ...shared,
    `${UNITS}/${names.socket}`,
    `etc/sysusers.d/${names.file}.conf`,
    `etc/tmpfiles.d/${names.file}.conf`,
    `etc/logrotate.d/${names.file}`,
  ];
  return all.map((path) => join(root, path)).filter((path) => isOurs(contentOf(path) ?? ""));
}

/** Versions and links, once nobody uses them any more. */
function versions(options: UninstallOptions): readonly string[] {
  if (others(options).length > 0) return [];
  const home = join(options.root, HOME);
  const folders = existsSync(home)
    ? readdirSync(home).filter((name) => noteOf(join(home, name)) !== undefined && lstatSync(join(home, name)).isDirectory())
    : [];
  const links = [join(options.root, CURRENT), join(options.root, "usr/local/bin/drover")].filter((path) => {
    const found = lstatSync(path, { throwIfNoEntry: false });
    return found?.isSymbolicLink() === true && (linkAt(path) ?? "").startsWith(path.endsWith("/bin/drover") ? CURRENT : "");
  });
  return [...links, ...folders.map((name) => join(home, name))];
}

function data({ root, names }: UninstallOptions): readonly string[] {
  return [names.envFile, names.keyFile, `/var/lib/${names.dir}`, `/var/log/${names.dir}`]
    .map((path) => join(root, path))
    .filter((path) => existsSync(path));
}

interface Services {
  isActive(unit: string): boolean;
  stop(units: readonly string[]): void;
  start(units: readonly string[]): void;
}

const OF_SYSTEMD: Services = {
  isActive,
  stop: (units) => void must("systemctl", "stop", ...units),
  start: (units) => void must("systemctl", "start", ...units),
};

/**
 * Stops the service, which else would accept more after the count, and counts what has not reached the spreadsheet.
 * @returns how many acknowledged writes wait; when any do, or it can't be told, what ran before runs again.
 */
export function stopToCount(units: readonly string[], count: () => number, services: Services): number {
  const running = units.filter((unit) => services.isActive(unit));
  if (running.length > 0) services.stop(running);
  let waiting: number | undefined;
  try {
    return (waiting = count());
  } finally {
    if (waiting !== 0 && running.length > 0) services.start(running);
  }
}

export async function uninstall(argv: readonly string[]): Promise<number> {
  const options = parseUninstall(argv);
  const { names, root, purge, anyway, dryRun } = options;
  mustStayInside(
    root,
    touched(names).map((path) => join(root, path)),
  );
  const remove = [...ownFiles(options), ...versions(options), ...(purge ? data(options) : [])];
  if (dryRun) {
    process.stdout.write(remove.map((path) => `# would remove ${path}\n`).join(""));
    return EXIT.done.code;
  }
  if (root === "/" && process.geteuid?.() !== 0) throw cant("drover uninstall needs root (sudo drover uninstall). Nothing was changed");
  if (remove.length === 0) {
    process.stdout.write(`nothing of ${names.service} that drover install wrote is here\n`);
    return EXIT.done.code;
  }
  const systemd = root === "/" && isBooted();
  const units = systemd ? [names.socket, names.service] : [];
  const count = (): number => inspectJournal(join(root, "var/lib", names.dir, "journal.db"))?.waiting ?? 0;
  const waiting = purge && !anyway ? stopToCount(units, count, OF_SYSTEMD) : 0;
  if (waiting > 0)
    throw cant(
      `${waiting} acknowledged writes in /var/lib/${names.dir} have not reached the spreadsheet: start ${names.service} until drover status says that none waits, or lose them: --anyway. Nothing was removed`,
    );
  if (systemd) run("systemctl", "disable", "--now", names.socket, names.service);
  for (const path of remove) {
    rmSync(path, { recursive: true, force: true });
    process.stdout.write(`removed ${path}\n`);
  }
  if (systemd) must("systemctl", "daemon-reload");
  const left = data(options);
  process.stdout.write(
    left.length === 0 ? `The user ${names.user} is left\n` : `Left as they are, with the user ${names.user}: ${left.join(", ")}\n`,
  );
  return EXIT.done.code;
}

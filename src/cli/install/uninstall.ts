/** `drover uninstall`: takes away what `drover install` wrote. Settings, key, data and log stay, unless --purge takes them too. */
import { existsSync, lstatSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { DroverError } from "../../base/errors.ts";
import { EXIT } from "../../base/exit.ts";
import { inspectJournal } from "../../broker/journal/inspect.ts";
import { contentOf, isOurs } from "../emit/write.ts";
import { mustStayInside, touched } from "./inside.ts";
import { parseUninstall, type UninstallOptions } from "./options.ts";
import { isBooted, must, run } from "./systemctl.ts";
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

/** @throws DroverError before anything is touched. */
function judge(options: UninstallOptions): void {
  const { root, names, purge, anyway } = options;
  if (root === "/" && process.geteuid?.() !== 0) throw cant("drover uninstall needs root (sudo drover uninstall). Nothing was changed");
  const waiting = purge && !anyway ? (inspectJournal(join(root, "var/lib", names.dir, "journal.db"))?.waiting ?? 0) : 0;
  if (waiting > 0)
    throw cant(
      `${waiting} acknowledged writes in /var/lib/${names.dir} have not reached the spreadsheet: start ${names.service} until drover status says that none waits, or lose them: --anyway. Nothing was changed`,
    );
}

export async function uninstall(argv: readonly string[]): Promise<number> {
  const options = parseUninstall(argv);
  const { names, root, purge, dryRun } = options;
  mustStayInside(
    root,
    touched(names).map((path) => join(root, path)),
  );
  const remove = [...ownFiles(options), ...versions(options), ...(purge ? data(options) : [])];
  if (dryRun) {
    process.stdout.write(remove.map((path) => `# would remove ${path}\n`).join(""));
    return EXIT.done.code;
  }
  judge(options);
  if (remove.length === 0) {
    process.stdout.write(`nothing of ${names.service} that drover install wrote is here\n`);
    return EXIT.done.code;
  }
  const systemd = root === "/" && isBooted();
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

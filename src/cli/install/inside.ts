/** What `--root DIR` must not leave: an image's links name places of the image, which on this machine are others. */
import { existsSync, lstatSync, realpathSync } from "node:fs";
import { isAbsolute, join, relative, sep } from "node:path";
import { DroverError } from "../../base/errors.ts";
import type { UnitNames } from "../../tools/emit/units.ts";
import { CURRENT } from "./version.ts";

/** Where install and uninstall write and remove, as the image sees it. */
export const touched = ({ service, file, dir, envFile, keyFile }: UnitNames): string[] => [
  CURRENT,
  "/usr/local/bin/drover",
  `/etc/systemd/system/${service}`,
  ...["sysusers.d", "tmpfiles.d", "logrotate.d"].map((folder) => `/etc/${folder}/${file}`),
  envFile,
  keyFile,
  `/var/lib/${dir}`,
  `/var/log/${dir}`,
];

/**
 * @param root as in --root. @param paths below it, which need not exist.
 * @throws DroverError DROVER_E_INSTALL when a link on the way to one leads out of the root.
 */
export function mustStayInside(root: string, paths: readonly string[]): void {
  if (root === "/" || !existsSync(root)) return;
  const inside = realpathSync(root);
  for (const path of paths) {
    const link = leavingLink(root, inside, path);
    if (link === undefined) continue;
    throw new DroverError(
      "DROVER_E_INSTALL",
      `${link.path} is a link to ${link.to}, which on this machine lies outside of ${root}: expected links that stay inside. ` +
        "Make it a relative link, or run drover in the image (chroot, systemd-nspawn). Nothing was changed",
    );
  }
}

/** The last component may be a link of our own, which is replaced or removed and not followed. */
function leavingLink(root: string, inside: string, path: string): { readonly path: string; readonly to: string } | undefined {
  let at = root;
  for (const part of relative(root, path).split(sep).slice(0, -1)) {
    at = join(at, part);
    const found = lstatSync(at, { throwIfNoEntry: false });
    if (found === undefined) return undefined;
    if (!found.isSymbolicLink()) continue;
    const to = realOf(at);
    if (to === undefined) return { path: at, to: "a place that is not there" };
    const way = relative(inside, to);
    if (way === ".." || way.startsWith(`..${sep}`) || isAbsolute(way)) return { path: at, to };
  }
  return undefined;
}

function realOf(path: string): string | undefined {
  try {
    return realpathSync(path);
  } catch {
    return undefined; // a link that leads nowhere
  }
}

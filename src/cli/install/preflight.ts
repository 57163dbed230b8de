/** Whatever would end an installation half way is found before it begins. */
import { existsSync } from "node:fs";
import { createServer } from "node:net";
import { basename, join } from "node:path";
import { DroverError, errnoOf } from "../../base/errors.ts";
import { portHolder } from "../../master/shell/portholder.ts";
import { addressName, type BindAddress } from "../../settings/addresses.ts";
import { contentOf, isOurs } from "../../tools/emit/write.ts";
import { PACKAGE } from "../plan.ts";
import { UNIT_FOLDERS, type InstallPlan } from "./plan.ts";
import { isActive, isBooted } from "./systemctl.ts";
import { CURRENT, judgeRoom, judgeVersion, linkAt, type VersionState } from "./version.ts";

const OLDEST_SYSTEMD = 248;
const cant = (why: string): DroverError => new DroverError("DROVER_E_INSTALL", why);

/** @throws DroverError on a machine that can't take it. */
function judgeMachine({ options: { root, systemd } }: InstallPlan): void {
  if (root !== "/") return;
  if (process.geteuid?.() !== 0)
    throw cant(
      "drover install needs root: it writes below /etc and /opt (sudo drover install). --dry-run shows what; --root DIR installs into another folder. Nothing was changed",
    );
  if (!isBooted())
    throw cant(
      "systemd does not run this machine: there is no /run/systemd/system. Run drover serve under what does (docs/deploy.md), or install into an image: --root DIR. Nothing was changed",
    );
  if (systemd !== undefined && systemd < OLDEST_SYSTEMD)
    throw cant(`drover's units need systemd ${OLDEST_SYSTEMD} or newer, not ${systemd}. Nothing was changed`);
}

/** @throws DroverError when a unit of the same name, or another file, is somebody else's. */
function judgeFiles({ options: { root }, units }: InstallPlan): void {
  for (const { path } of units) {
    const places = path.includes("/systemd/system/") ? UNIT_FOLDERS.map((folder) => join(root, folder, basename(path))) : [path];
    for (const place of places) {
      const there = contentOf(place);
      if (there !== undefined && !isOurs(there))
        throw cant(
          `${place} was not written by drover: it would be hidden or replaced. Disable and move it away (systemctl disable --now ${basename(path)}), or install under another name: --name EVENT. Nothing was changed`,
        );
    }
  }
}

/** @returns why nobody may listen there; undefined: it is free. */
function taken(address: Extract<BindAddress, { kind: "tcp" }>): Promise<string | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", (e) =>
      resolve(errnoOf(e) === "EADDRINUSE" ? `${portHolder(address.port) ?? "somebody"} listens there already` : undefined),
    );
    server.listen({ host: address.host, port: address.port, exclusive: true }, () => server.close(() => resolve(undefined)));
  });
}

/** @throws DroverError DROVER_E_PORT. The unit's own socket may hold it. */
async function judgeAddresses({ options: { root, names }, bind }: InstallPlan): Promise<void> {
  if (root !== "/" || isActive(names.socket)) return;
  for (const address of bind) {
    if (address.kind === "unix" && existsSync(address.path))
      throw new DroverError(
        "DROVER_E_PORT",
        `${addressName(address)} is there already: remove it, or choose another --bind. Nothing was changed`,
      );
    const why = address.kind === "tcp" ? await taken(address) : undefined;
    if (why !== undefined)
      throw new DroverError(
        "DROVER_E_PORT",
        `${addressName(address)} can't be drover's: ${why}. Stop that, or choose another address: --bind, or DROVER_BIND in ${names.envFile}. Nothing was changed`,
      );
  }
}

export interface Before {
  readonly version: VersionState;
  /** What `current` leads to. */
  readonly current: string | undefined;
}

/** @throws DroverError for the first thing that stands in the way. Nothing is written here. */
export async function preflight(plan: InstallPlan): Promise<Before> {
  judgeMachine(plan);
  judgeFiles(plan);
  const current = linkAt(join(plan.options.root, CURRENT));
  const version = judgeVersion(plan.folder, plan.packed, PACKAGE);
  if (version === "missing") judgeRoom(plan.folder, plan.packed.bytes);
  await judgeAddresses(plan);
  return { version, current };
}

/** The installation that the emitted files describe, and its address. */
import { realpathSync } from "node:fs";
import { DroverError } from "../../base/errors.ts";
import { ownPath } from "../../base/place.ts";
import { version } from "../../cli/version.ts";
import { addressName, type BindAddress } from "../../settings/addresses.ts";
import type { Machine } from "../../settings/machine.ts";
import type { Resolved } from "../../settings/resolve.ts";
import type { Settings } from "../../settings/table.ts";

export interface Installation {
  /** Resolved from the env file, the environment and the flags. */
  readonly settings: Settings;
  readonly machine: Machine;
  /** Absolute; undefined: no env file was found. */
  readonly envFile: string | undefined;
  /** The folder of bin, dist and node_modules. */
  readonly root: string;
  readonly version: string;
}

/** Validated texts by the option's name, its default included. */
export type Options = Readonly<Record<string, string | undefined>>;

export const installationOf = (
  { settings, envFile }: Resolved,
  machine: Machine,
): Installation => ({
  settings,
  machine,
  envFile,
  root: realpathSync(ownPath("")),
  version: version(),
});

export type Target = Exclude<BindAddress, { readonly kind: "fd" }>;

/** Port 0 and inherited sockets have no address yet. */
export const reachable = (one: BindAddress): one is Target =>
  one.kind === "unix" || (one.kind === "tcp" && one.port > 0);

/**
 * The first address that a client on this machine can connect to: 0.0.0.0 and [::] become loopback.
 * @throws DroverError DROVER_E_USAGE when there is none.
 */
export function targetOf({ bind }: Pick<Settings, "bind">, tcpOnly = false): Target {
  const found = bind.find((one) => reachable(one) && !(tcpOnly && one.kind === "unix"));
  if (found === undefined || found.kind === "fd") {
    const expected = `an address with a port${tcpOnly ? "" : ", or unix:PATH"}`;
    const given = bind.map(addressName).join(",");
    const message = `bind: ${given} (expected ${expected}). Name the address: --bind 127.0.0.1:8080`;
    throw new DroverError("DROVER_E_USAGE", message);
  }
  if (found.kind === "unix") return found;
  const host = found.host === "0.0.0.0" ? "127.0.0.1" : found.host === "::" ? "::1" : found.host;
  return { ...found, host };
}

/** The first TCP address: `http://127.0.0.1:8080`. @throws DroverError DROVER_E_USAGE when there is none. */
export const urlOf = (settings: Pick<Settings, "bind" | "tls_cert">): string =>
  `${settings.tls_cert === undefined ? "http" : "https"}://${addressName(targetOf(settings, true))}`;

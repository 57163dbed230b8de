/** Where other programs reach this installation: its first address, as seen from the same machine. */
import { DroverError } from "../../base/errors.ts";
import { addressName, type BindAddress } from "../../settings/addresses.ts";
import type { Settings } from "../../settings/table.ts";

export type Target = Exclude<BindAddress, { readonly kind: "fd" }>;

/** An address to connect to; port 0 and inherited sockets have none yet. */
const reachable = (address: BindAddress): address is Target => address.kind === "unix" || (address.kind === "tcp" && address.port > 0);

const nowhere = (bind: readonly BindAddress[], expected: string): DroverError =>
  new DroverError(
    "DROVER_E_USAGE",
    `bind: ${bind.map(addressName).join(",")} (expected ${expected}). Name the address: --bind 127.0.0.1:8080`,
  );

/**
 * The first address that a proxy on this machine can connect to: 0.0.0.0 and [::] become loopback.
 * @throws DroverError DROVER_E_USAGE when there is none.
 */
export function targetOf({ bind }: Pick<Settings, "bind">): Target {
  const found = bind.find(reachable);
  if (found === undefined) throw nowhere(bind, "an address with a port, or unix:PATH");
  if (found.kind === "unix") return found;
  const host = found.host === "0.0.0.0" ? "127.0.0.1" : found.host === "::" ? "::1" : found.host;
  return { ...found, host };
}

/** What the TCP addresses speak. */
export const schemeOf = ({ tls_cert: certificate }: Pick<Settings, "tls_cert">): "http" | "https" =>
  certificate === undefined ? "http" : "https";

/**
 * The base URL for a client on this machine, without a slash at the end: `http://127.0.0.1:8080`.
 * @throws DroverError DROVER_E_USAGE when drover listens on unix sockets only.
 */
export function urlOf(settings: Pick<Settings, "bind" | "tls_cert">): string {
  const bind = settings.bind.filter(({ kind }) => kind === "tcp");
  if (!bind.some(reachable)) throw nowhere(settings.bind, "an address with a port");
  return `${schemeOf(settings)}://${addressName(targetOf({ bind }))}`;
}

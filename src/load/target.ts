/** Where the load goes. Nobody is loaded by mistake: only this machine, unless the command line says whose the other one is. */
import { lookup } from "node:dns/promises";
import { isIP } from "node:net";
import { DroverError, messageOf } from "../base/errors.ts";
import { plainAddress } from "./address.ts";

/** Survives structured cloning. */
export interface Target {
  /** As it was given, without user and password. */
  readonly url: string;
  readonly protocol: "http:" | "https:";
  /** The Host line. */
  readonly host: string;
  readonly hostname: string;
  /** Looked up once: a name that later leads elsewhere leads no load there. */
  readonly address: string;
  readonly port: number;
  /** With the query. */
  readonly path: string;
  readonly loopback: boolean;
  /** Its certificate is not verified: it is a daemon of this machine, whose certificate is for its public name. */
  readonly anyCertificate?: true;
}

/** Options of the TLS handshake. SNI carries names only, no address (RFC 6066, section 3). */
export const tlsOptions = ({
  hostname,
  anyCertificate,
}: Target): { readonly servername?: string; readonly rejectUnauthorized?: boolean } => ({
  ...(isIP(hostname) > 0 ? {} : { servername: hostname }),
  ...(anyCertificate === true ? { rejectUnauthorized: false } : {}),
});

const LOOPBACK = /^(?:127\.\d{1,3}\.\d{1,3}\.\d{1,3}|::1)$/;
const usage = (message: string): DroverError => new DroverError("DROVER_E_USAGE", message);

/** @param text `http://127.0.0.1:8080/path`, or without the scheme. @throws DroverError DROVER_E_USAGE saying what is wrong with it. */
export function parseTarget(text: string): URL {
  const whole = /^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? text : `http://${text}`;
  const url = URL.parse(whole);
  if (url === null || url.hostname === "") throw usage(`${text}: expected a URL such as http://127.0.0.1:8080/`);
  if (url.protocol !== "http:" && url.protocol !== "https:") throw usage(`${text}: expected http:// or https://`);
  if (url.username !== "" || url.password !== "")
    throw usage(`${url.protocol}//…@${url.host}: no user or password in the URL: name a login in the profile`);
  return url;
}

/**
 * @param mayLeave `--i-own-this-host`: a target that is not this machine is meant.
 * @throws DroverError DROVER_E_USAGE for another machine's address without that, DROVER_E_TARGET for a name that leads nowhere.
 */
export async function findTarget(url: URL, mayLeave: boolean): Promise<Target> {
  const hostname = url.hostname.replace(/^\[(.*)\]$/, "$1");
  const address = plainAddress(isIP(hostname) > 0 ? hostname : await resolved(hostname));
  const loopback = LOOPBACK.test(address);
  if (!loopback && !mayLeave)
    throw usage(
      `${url.host} is ${address === hostname ? "" : `${address}, `}not this machine: a load run can take a server down. If it is yours, add --i-own-this-host`,
    );
  const protocol = url.protocol === "https:" ? "https:" : "http:";
  const port = url.port === "" ? (protocol === "https:" ? 443 : 80) : Number(url.port);
  return { url: url.href, protocol, host: url.host, hostname, address, port, path: url.pathname + url.search, loopback };
}

async function resolved(hostname: string): Promise<string> {
  try {
    return (await lookup(hostname)).address;
  } catch (error) {
    throw new DroverError("DROVER_E_TARGET", `${hostname}: no address is known for it: ${messageOf(error)}`, { cause: error });
  }
}

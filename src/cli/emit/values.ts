/** Values that go into other programs' files: validated, because each format quotes differently. */
import { DroverError } from "../../base/errors.ts";
import { mebibytes, ms, seconds, type Bytes, type Ms } from "../../base/units.ts";
import { networks } from "../../settings/addresses.ts";
import { formatBytes } from "../../settings/parsers.ts";
import type { Rate } from "../../settings/rows/limits.ts";
import type { Settings } from "../../settings/table.ts";

const wrong = (what: string, text: string, expected: string): DroverError =>
  new DroverError("DROVER_E_USAGE", `${what} ${JSON.stringify(text)} (expected ${expected})`);

/** A host name of DNS, without a port. @param flag that it comes from, for the error. */
export function hostName(text: string, flag: string): string {
  const label = "(?!-)[a-zA-Z0-9-]{1,63}(?<!-)";
  if (text.length <= 253 && new RegExp(`^${label}(?:\\.${label})*$`).test(text)) return text;
  throw wrong(flag, text, "a host name such as www.example.org");
}

/** A path that needs no quotes in shell, nginx, HAProxy, Caddy and YAML. */
export function plainPath(text: string, flag: string): string {
  if (/^\/[\w./@%+,:-]*$/.test(text) && !/\/\.\.?(?:\/|$)/.test(text)) return text;
  throw wrong(flag, text, "an absolute path of letters, digits and ._@%+,:-");
}

/** `500ms`, `90s`: read alike by nginx, HAProxy and Caddy. */
export const timeText = (time: Ms): string => (time % 1_000 === 0 ? `${time / 1_000}s` : `${time}ms`);

/** How long a proxy keeps an idle connection: shorter than drover does while it drains, at least 100 ms. */
export const idleBelow = (drainIdle: Ms): Ms => ms(Math.max(100, Math.floor(drainIdle / 2)));

/** How long a proxy waits for an answer: longer than drover, which answers 504 itself. */
export const aboveTimeout = (requestTimeout: Ms): Ms => ms(requestTimeout + 10_000);

/** The largest request body that drover accepts, and the reason, for a comment. */
export function bodyLimit({ app, body_limit: limit }: Settings): { readonly bytes: Bytes; readonly size: string; readonly from: string } {
  const bytes = app === undefined ? mebibytes(1) : limit;
  return { bytes, size: formatBytes(bytes), from: app === undefined ? "the built-in service accepts less" : "DROVER_BODY_LIMIT" };
}

/** DROVER_TRUSTED_PROXIES for a comment. */
export const trusted = ({ trusted_proxies: list }: Settings): string => (list.length === 0 ? "empty" : networks.format(list));

/** A rate as the proxies count it: whole requests a second or minute, never below the setting, and the burst that drover allows. */
export function proxyRate({ most, per, burst }: Rate): { readonly count: number; readonly unit: "s" | "m"; readonly burst: number } {
  const bySecond = per <= seconds(1);
  const count = bySecond ? most : Math.max(1, Math.ceil((most * 60_000) / per));
  return { count, unit: bySecond ? "s" : "m", burst: burst ?? most };
}

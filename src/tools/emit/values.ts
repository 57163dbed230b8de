/** Values that enter other programs' files. Each is validated, because each format quotes differently. */
import type { AlertName } from "../../admin/alerts/model.ts";
import { rulesOf } from "../../admin/alerts/rules.ts";
import { DroverError } from "../../base/errors.ts";
import { mebibytes, seconds, type Ms } from "../../base/units.ts";
import { addressName, addresses, networks } from "../../settings/addresses.ts";
import { formatBytes } from "../../settings/parsers.ts";
import { rate } from "../../settings/rows/limits.ts";
import type { Settings } from "../../settings/table.ts";
import { reachable, targetOf, type Options, type Target } from "./installation.ts";

/** @param flag with its dashes, or the setting, for the error. @throws DroverError DROVER_E_USAGE. */
export type Parser = (text: string, flag: string) => string;
const wrong = (flag: string, text: string, expected: string): DroverError =>
  new DroverError("DROVER_E_USAGE", `${flag} ${text}: expected ${expected}`);

/** A parser of texts that need no quotes in the files they enter. */
export const matching =
  (pattern: RegExp, expected: string): Parser =>
  (text, flag) => {
    if (pattern.test(text)) return text;
    throw wrong(flag, text, expected);
  };

export const hostName = matching(
  /^(?=.{1,253}$)(?:(?!-)[a-z\d-]{1,63}(?<!-)(?:\.(?!$)|$))+$/i,
  "a host name such as www.example.org",
);
/** Needs no quotes in shell, nginx, HAProxy, Caddy and YAML. */
export const plainPath = matching(
  /^(?!.*\/\.\.?(?:\/|$))\/[\w./@%+,:-]*$/,
  "an absolute path of letters, digits and ._@%+,:-",
);
export const plainUrl: Parser = (text, flag) => {
  if (/^https?:\/\/[\w.:[\]~/?=&%,+@-]+$/.test(text) && URL.canParse(text)) return text;
  const expected = "an http:// or https:// URL without quotes, blanks and shell characters";
  throw wrong(flag, text, `${expected}, such as http://127.0.0.1:8080/`);
};
export const imageName = matching(/^\w[\w./:@-]*$/, "an image such as example.org/drover:1.2.0");
export const cacheTime = matching(/^[1-9]\d{0,3}[smh]$/, "whole seconds, minutes or hours: 10s");
export const dnsLabel = matching(/^[a-z](?:[a-z0-9-]{0,38}[a-z0-9])?$/, "a DNS label: drover");
export const volumeSize = matching(/^[1-9]\d*(?:Mi|Gi|Ti)$/, "a size, such as 1Gi");
export const stackName = matching(
  /^[a-z][a-z0-9-]{0,39}$/,
  "up to 40 lower-case letters, digits and hyphens, such as drover",
);
/** Several generators may send more users than one: the bound is only that of a whole number. */
export const userCount = matching(/^[1-9]\d{0,7}$/, "a whole number from 1 to 99999999");
export const machineCount = matching(
  /^(?:[2-9]|[1-9]\d\d?|1000)$/,
  "the number of machines, 2 to 1000",
);
export const regionList: Parser = (text, flag) => {
  const regions = text.split(",");
  const known = regions.every((one) => /^[a-z]{2}(?:-[a-z]+){1,3}-\d$/.test(one));
  if (known && new Set(regions).size === regions.length) return text;
  throw wrong(flag, text, "AWS regions, each once, such as us-east-1,eu-west-1");
};

export const inSingleQuotes = matching(/^[^']*$/, "a path without quotes: encode them as %27");
export const inHaproxy = matching(
  /^[^"'\\]*$/,
  "a path without quotes and backslashes: encode them",
);
/** JSON is a quoted word of YAML. */
export const inYaml = (text: string): string => JSON.stringify(text);

/** `500ms`, `90s`: nginx, HAProxy, Caddy and Prometheus read them alike. */
export const timeText = (time: Ms): string =>
  time % 1_000 === 0 ? `${time / 1_000}s` : `${time}ms`;

function servers(text: string, flag: string): readonly Target[] {
  const list = addresses.parse(text, "/");
  if (list.ok && list.value.every(reachable)) return list.value;
  const expected = list.ok ? "addresses with a port" : list.problem;
  throw wrong(flag, text, `${expected}. Example: --servers 10.0.0.1:8080,10.0.0.2:8080`);
}
export const serverList: Parser = (text, flag) => (servers(text, flag), text);

/** @param unix the proxy's prefix of a unix socket's path. */
export function proxyValues(settings: Settings, options: Options, unix: string): object {
  const { servers: list, static: folder, "server-name": serverName } = options;
  const { app, rate_limit: limit, trusted_proxies: trusted } = settings;
  const targets = list === undefined ? [targetOf(settings)] : servers(list, "--servers");
  const body = app === undefined ? mebibytes(1) : settings.body_limit;
  return {
    serverName,
    folder: folder?.replace(/\/*$/, "/"),
    app: app !== undefined,
    servers: targets.map((one) =>
      one.kind === "unix" ? `${unix}${plainPath(one.path, "bind")}` : addressName(one),
    ),
    // The certificate belongs to the TCP addresses.
    tls: settings.tls_cert !== undefined && targets.some(({ kind }) => kind === "tcp"),
    trusted: trusted.length === 0 ? "empty" : networks.format(trusted),
    workers: settings.workers,
    connections: settings.worker_connections,
    cacheTtl: timeText(settings.cache_ttl),
    headersTimeout: timeText(settings.headers_timeout),
    keepAlive: timeText(settings.keep_alive),
    drainIdle: timeText(settings.drain_idle),
    // Shorter than drover's own while it drains: it never closes a connection in use.
    keepalive: timeText(Math.max(100, Math.floor(settings.drain_idle / 2)) as Ms),
    requestTimeout: timeText(settings.request_timeout),
    // Longer than drover, which answers 504 itself.
    readTimeout: timeText((settings.request_timeout + 10_000) as Ms),
    body: formatBytes(body),
    bodyBytes: body,
    bodyFrom: app === undefined ? "the built-in service accepts less" : "DROVER_BODY_LIMIT",
    rateLimit: rate.format(limit),
    rate: limit && {
      // Whole requests, rounded up: a proxy refuses none that drover would accept.
      count: limit.per <= seconds(1) ? limit.most : Math.ceil((limit.most * 60_000) / limit.per),
      unit: limit.per <= seconds(1) ? "s" : "m",
      burst: limit.burst ?? limit.most,
      most: limit.most + (limit.burst ?? 0),
      period: timeText(limit.per),
    },
  };
}

/** The alert_ settings that are numbers, by their names, and `share`: per cent as PromQL has them. */
export function alertValues(settings: Settings): object {
  const bands = new Map(rulesOf(settings).map((rule) => [rule.name, rule.bands]));
  const numbers = Object.entries(settings).filter(
    ([name, value]) => name.startsWith("alert_") && typeof value === "number",
  );
  return {
    ...Object.fromEntries(numbers),
    bound: (name: AlertName, band: number) => bands.get(name)?.at(band)?.from,
    share,
    timeText,
  };
}

/** 80 → "0.80", 97.5 → "0.975". */
const share = (percent: number): string =>
  Number.isInteger(percent)
    ? (percent / 100).toFixed(2)
    : String(Number((percent / 100).toFixed(5)));

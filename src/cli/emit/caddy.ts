import { addressName } from "../../settings/addresses.ts";
import { rate } from "../../settings/rows/limits.ts";
import { fillTemplate, type Artefact, type Facts, type OptionValues } from "./artefact.ts";
import type { Values } from "./fill.ts";
import { schemeOf, targetOf } from "./target.ts";
import { aboveTimeout, bodyLimit, hostName, idleBelow, plainPath, timeText, trusted } from "./values.ts";

/** `Caddyfile`: TLS with a certificate of its own in front of this installation. */
export const caddy: Artefact = {
  name: "caddy",
  does: "Caddyfile: proxy that gets its certificate by itself",
  options: [
    { name: "server-name", value: "NAME", default: "example.org", does: "the public host name" },
    { name: "static", value: "DIR", does: "a folder that Caddy serves at /static/ itself, for a day" },
  ],
  files: (facts, options) => [{ path: "Caddyfile", text: fillTemplate("Caddyfile", "caddy", facts, valuesOf(facts, options)) }],
  next: ([path = ""], { settings }) =>
    [
      `Next, as root: caddy validate --adapter caddyfile --config ${path}, install it as /etc/caddy/Caddyfile, systemctl reload caddy`,
      `Not checked here: that the name leads to this machine, and that Caddy's address is in DROVER_TRUSTED_PROXIES (${trusted(settings)})`,
    ].join("\n"),
};

function valuesOf({ settings }: Facts, options: OptionValues): Values {
  const target = targetOf(settings);
  const name = hostName(options["server-name"] ?? "", "--server-name");
  const overTls = target.kind === "tcp" && schemeOf(settings) === "https";
  return {
    SERVER: target.kind === "unix" ? `unix/${plainPath(target.path, "bind")}` : addressName(target),
    SERVER_NAME: name,
    TRUSTED: trusted(settings),
    RATE_LIMIT: rate.format(settings.rate_limit),
    BODY: bodyLimit(settings).size,
    BODY_FROM: bodyLimit(settings).from,
    // drover's certificate is for the public name.
    UPSTREAM_TLS: overTls ? ["\t\t\ttls # drover speaks TLS itself (DROVER_TLS_CERT)", `\t\t\ttls_server_name ${name}`] : [],
    DRAIN_IDLE: timeText(settings.drain_idle),
    KEEPALIVE: timeText(idleBelow(settings.drain_idle)),
    REQUEST_TIMEOUT: timeText(settings.request_timeout),
    READ_TIMEOUT: timeText(aboveTimeout(settings.request_timeout)),
    STATIC: options["static"] === undefined ? [] : ownFiles(plainPath(options["static"], "--static")),
  };
}

/** `immutable` is a promise: browsers do not ask again for a day. */
const ownFiles = (dir: string): string[] => [
  "\t# Files that Caddy serves itself. immutable: give a changed file a new name, or browsers keep the old one for a day.",
  "\thandle_path /static/* {",
  `\t\troot * ${dir}`,
  '\t\theader Cache-Control "public, max-age=86400, immutable"',
  "\t\tfile_server",
  "\t}",
  "",
];

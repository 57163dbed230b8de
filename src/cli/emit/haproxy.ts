import { DroverError } from "../../base/errors.ts";
import { addressName, addresses } from "../../settings/addresses.ts";
import { rate } from "../../settings/rows/limits.ts";
import type { Settings } from "../../settings/table.ts";
import { fillTemplate, type Artefact, type Facts, type OptionValues } from "./artefact.ts";
import type { Values } from "./fill.ts";
import { schemeOf, targetOf, type Target } from "./target.ts";
import { aboveTimeout, bodyLimit, hostName, idleBelow, plainPath, timeText, trusted } from "./values.ts";

/** `haproxy.cfg`: TLS, health checks and least connections over one or more drovers. */
export const haproxy: Artefact = {
  name: "haproxy",
  does: "haproxy.cfg: proxy with TLS, health checks and leastconn",
  options: [
    { name: "server-name", value: "NAME", default: "example.org", does: "the public host name, also of the certificate" },
    { name: "servers", value: "HOST:PORT,…", does: "the drovers behind it (this installation's first address)" },
  ],
  files: (facts, options) => [{ path: "haproxy.cfg", text: fillTemplate("haproxy.cfg", "haproxy", facts, valuesOf(facts, options)) }],
  next: ([path = ""], { settings }) =>
    [
      `Next, as root: haproxy -c -f ${path}, install it as /etc/haproxy/haproxy.cfg, systemctl reload haproxy`,
      `Not checked here: the certificate of that name, and that HAProxy's address is in DROVER_TRUSTED_PROXIES (${trusted(settings)})`,
    ].join("\n"),
};

function valuesOf({ settings }: Facts, options: OptionValues): Values {
  const name = hostName(options["server-name"] ?? "", "--server-name");
  const servers = options["servers"] === undefined ? [targetOf(settings)] : serversOf(options["servers"]);
  const places = settings.workers * settings.worker_connections;
  const sticky = servers.length > 1 && settings.app === undefined;
  const overTls = schemeOf(settings) === "https" && servers.some(({ kind }) => kind === "tcp");
  return {
    SERVER_NAME: name,
    TRUSTED: trusted(settings),
    MAXCONN: String(2 * places * servers.length),
    SERVER_MAXCONN: String(places),
    WORKERS: String(settings.workers),
    CONNECTIONS: String(settings.worker_connections),
    HEADERS_TIMEOUT: timeText(settings.headers_timeout),
    KEEP_ALIVE: timeText(settings.keep_alive),
    DRAIN_IDLE: timeText(settings.drain_idle),
    KEEPALIVE: timeText(idleBelow(settings.drain_idle)),
    REQUEST_TIMEOUT: timeText(settings.request_timeout),
    READ_TIMEOUT: timeText(aboveTimeout(settings.request_timeout)),
    BODY: String(bodyLimit(settings).bytes),
    BODY_FROM: bodyLimit(settings).from,
    RATE_LIMIT: rateLimit(settings),
    STICKY: sticky ? STICKY : [],
    HEALTH: health(settings.probe_path, name),
    SERVER_TLS: overTls ? ` ssl verify required ca-file @system-ca sni str(${name}) check-sni ${name} verifyhost ${name}` : "",
    SERVERS: servers.map((server, i) => `    server drover${i + 1} ${serverName(server)}${sticky ? ` cookie drover${i + 1}` : ""}`),
  };
}

/** @throws DroverError DROVER_E_USAGE for a list that names no address to connect to. */
function serversOf(text: string): readonly Target[] {
  const list = addresses.parse(text, "/");
  const expected = list.ok ? "addresses with a port" : list.problem;
  if (list.ok && list.value.every((one) => one.kind === "unix" || (one.kind === "tcp" && one.port > 0)))
    return list.value as readonly Target[];
  throw new DroverError("DROVER_E_USAGE", `--servers ${text} (expected ${expected}). Example: --servers 10.0.0.1:8080,10.0.0.2:8080`);
}

const serverName = (server: Target): string => (server.kind === "unix" ? `unix@${plainPath(server.path, "bind")}` : addressName(server));

/** The cookie of the built-in service's sessions over HTTPS (src/app/session/cookie.ts). */
const SESSION = "__Host-drover";

/** A session lives in the drover that opened it. */
const STICKY = [
  "    # A session stays with the server that opened it: HAProxy puts the server's name in front of the session cookie's value.",
  `    cookie ${SESSION} prefix nocache`,
];

/** The route that a reload probes too; an application without one is checked by connecting. */
const health = (path: string | undefined, name: string): string[] =>
  path === undefined
    ? ["    # No DROVER_PROBE_PATH is set: the check only connects. Name a route that answers 2xx while the application works."]
    : [
        "    option httpchk",
        `    http-check send meth GET uri ${unquoted(path)} ver HTTP/1.1 hdr Host ${name}`,
        "    http-check expect rstatus ^[23]",
      ];

/** @throws DroverError DROVER_E_USAGE for a path that HAProxy would need quotes for. */
function unquoted(path: string): string {
  if (!/["'\\]/.test(path)) return path;
  throw new DroverError(
    "DROVER_E_USAGE",
    `probe_path: ${path} (expected a path without quotes and backslashes for HAProxy). Encode them: %22`,
  );
}

/** drover counts signed-in users one by one, whatever address they share, and wrong secrets by itself: HAProxy limits neither. */
function rateLimit({ app, rate_limit: limit }: Settings): string[] {
  if (limit === undefined) return [];
  const cookie = app === undefined ? `req.cook(${SESSION}) -m found` : "req.hdr_cnt(cookie) gt 0";
  return [
    "",
    `    # Anonymous writes of one address, as drover counts them itself (DROVER_RATE_LIMIT is ${rate.format(limit)}): a flood stops here.`,
    `    stick-table type ipv6 size 100k expire ${timeText(limit.per)} store http_req_rate(${timeText(limit.per)})`,
    "    acl safe      method GET HEAD OPTIONS",
    `    acl signed_in ${cookie}`,
    "    acl signed_in req.hdr_cnt(authorization) gt 0",
    "    acl login     path /api/login",
    "    http-request track-sc0 src if !safe !signed_in !login",
    `    http-request deny deny_status 429 hdr Retry-After 60 if !safe !signed_in !login { sc_http_req_rate(0) gt ${limit.most + (limit.burst ?? 0)} }`,
  ];
}

import { DroverError } from "../../base/errors.ts";
import { addressName } from "../../settings/addresses.ts";
import { rate } from "../../settings/rows/limits.ts";
import type { Settings } from "../../settings/table.ts";
import { fillTemplate, type Artefact, type Facts, type OptionValues } from "./artefact.ts";
import type { Values } from "./fill.ts";
import { schemeOf, targetOf } from "./target.ts";
import { aboveTimeout, bodyLimit, hostName, idleBelow, plainPath, proxyRate, timeText, trusted } from "./values.ts";

/** `drover.conf`: TLS, micro-cache, compression and a limit of anonymous writes in front of this installation. */
export const nginx: Artefact = {
  name: "nginx",
  does: "drover.conf: proxy with TLS, cache, gzip and limit_req",
  options: [
    { name: "server-name", value: "NAME", default: "example.org", does: "the public host name, also of the certificate" },
    { name: "static", value: "DIR", does: "a folder that nginx serves at /static/ itself, for a day" },
    { name: "cache", value: "TIME", default: "1s", does: "how long public answers are cached" },
  ],
  files: (facts, options) => [{ path: "drover.conf", text: fillTemplate("nginx.conf", "nginx", facts, valuesOf(facts, options)) }],
  next: ([path = ""], { settings }) =>
    [
      `Next, as root: install ${path} in /etc/nginx/conf.d, then nginx -t && systemctl reload nginx`,
      `Not checked here: the certificate of that name, and that nginx's address is in DROVER_TRUSTED_PROXIES (${trusted(settings)})`,
    ].join("\n"),
};

function valuesOf({ settings }: Facts, options: OptionValues): Values {
  const target = targetOf(settings);
  const name = hostName(options["server-name"] ?? "", "--server-name");
  const scheme = target.kind === "unix" ? "http" : schemeOf(settings);
  const cache = cacheTime(options["cache"] ?? "");
  const limit = settings.rate_limit;
  return {
    SERVER: target.kind === "unix" ? `unix:${plainPath(target.path, "bind")}` : addressName(target),
    SERVER_NAME: name,
    SCHEME: scheme,
    UPSTREAM_TLS: scheme === "https" ? upstreamTls(name) : [],
    TRUSTED: trusted(settings),
    DRAIN_IDLE: timeText(settings.drain_idle),
    KEEPALIVE: timeText(idleBelow(settings.drain_idle)),
    CACHE: cache,
    CACHE_TTL: timeText(settings.cache_ttl),
    BODY: bodyLimit(settings).size,
    BODY_FROM: bodyLimit(settings).from,
    REQUEST_TIMEOUT: timeText(settings.request_timeout),
    READ_TIMEOUT: timeText(aboveTimeout(settings.request_timeout)),
    RATE_ZONE: limit === undefined ? [] : rateZone(settings),
    RATE_LIMIT: limit === undefined ? [] : rateLimit(proxyRate(limit).burst),
    STATIC: options["static"] === undefined ? proxiedFiles(scheme, cache) : ownFiles(options["static"]),
  };
}

/** nginx's cache counts whole seconds. */
function cacheTime(text: string): string {
  if (/^[1-9]\d{0,3}[smh]$/.test(text)) return text;
  throw new DroverError("DROVER_E_USAGE", `--cache ${text} (expected whole seconds, minutes or hours, such as 1s or 10s)`);
}

/** drover's certificate is for the public name, so nginx verifies that name. */
const upstreamTls = (name: string): string[] => [
  "",
  "    # drover speaks TLS itself (DROVER_TLS_CERT). For a private authority name its certificate here.",
  "    proxy_ssl_verify              on;",
  "    proxy_ssl_trusted_certificate /etc/ssl/certs/ca-certificates.crt;",
  "    proxy_ssl_server_name         on;",
  `    proxy_ssl_name                ${name};`,
];

/**
 * drover counts signed-in users one by one, whatever address they share, and wrong secrets by itself: nginx limits neither.
 * The rate and the burst are drover's, so that nginx refuses no request that drover would accept.
 */
function rateZone({ rate_limit: limit }: Settings): string[] {
  if (limit === undefined) return [];
  const { count, unit } = proxyRate(limit);
  return [
    `# Anonymous writes of one address, as drover counts them itself (DROVER_RATE_LIMIT is ${rate.format(limit)}): a flood stops here.`,
    "# Signed-in users may share an address, so a cookie or Authorization goes past this; drover counts those users one by one.",
    "# Reads are not limited here: most of them come from the cache.",
    "map $request_method $drover_write {",
    "    default              1;",
    "    ~^(GET|HEAD|OPTIONS)$ 0;",
    "}",
    'map "$drover_write$http_cookie$http_authorization $uri" $drover_limited {',
    '    default               "";',
    '    "~^1 (?!/api/login$)" $binary_remote_addr;',
    "}",
    `limit_req_zone $drover_limited zone=drover_writes:10m rate=${count}r/${unit};`,
    "",
  ];
}

const rateLimit = (burst: number): string[] => [
  "",
  `    limit_req zone=drover_writes burst=${burst} nodelay;`,
  "    limit_req_status 429;",
  "    error_page 429 = @drover_limited; # nginx's own refusals only: drover's pass through",
  "    location @drover_limited {",
  "        internal;",
  "        default_type application/problem+json;",
  "        add_header Retry-After 60 always;",
  `        return 429 '{"title":"Too Many Requests","status":429,"detail":"too many writes from this address: wait for Retry-After"}';`,
  "    }",
];

const proxiedFiles = (scheme: string, cache: string): string[] => [
  "    # Files are public, with or without a cookie. drover says how long browsers keep one: a year with a hash in its name.",
  "    location /static/ {",
  `        proxy_pass ${scheme}://drover;`,
  "",
  "        proxy_cache            drover;",
  '        proxy_cache_key        "$scheme://$host$request_uri $drover_encoding";',
  `        proxy_cache_valid      200 ${cache};`,
  "        proxy_cache_revalidate on;",
  "        proxy_ignore_headers   Cache-Control Expires Vary; # else nginx sends a whole file in answer to If-None-Match",
  "        proxy_cache_lock       on;",
  "        proxy_cache_use_stale  error timeout updating http_502 http_503 http_504;",
  "        proxy_no_cache         $drover_private $drover_varies;",
  "        gzip_types             text/css text/javascript application/javascript application/json image/svg+xml application/wasm;",
  "        add_header X-Proxy-Cache $upstream_cache_status;",
  '        add_header Strict-Transport-Security "max-age=86400" always;',
  "    }",
];

/** `immutable` is a promise: browsers do not ask again for a day. */
const ownFiles = (dir: string): string[] => [
  "    # Files that nginx serves itself. immutable: give a changed file a new name, or browsers keep the old one for a day.",
  "    location /static/ {",
  `        alias ${plainPath(dir.replace(/\/*$/, "/"), "--static")};`,
  "        expires 1d;",
  '        add_header Cache-Control "public, immutable";',
  '        add_header Strict-Transport-Security "max-age=86400" always;',
  "        gzip_types text/css text/javascript application/javascript application/json image/svg+xml application/wasm;",
  "    }",
];

import type { LogLevel, LogTarget } from "../base/log.ts";
import type { Bytes, Ms } from "../base/units.ts";
import type { Network } from "../settings/addresses.ts";
import type { Settings } from "../settings/table.ts";
import type { Underscores } from "./strict.ts";

/** All that a worker is told, with `configure` and again with `retune`. Plain JSON: it crosses the channel. */
export interface WorkerConfig {
  /** The application's real path, one for a whole generation; null: the built-in service. */
  readonly app: string | null;
  /** What the worker asks itself for when the master wants a probe; null: nothing. */
  readonly probePath: string | null;
  /** Most connections at a time. */
  readonly connections: number;
  readonly backlog: number;
  /** Nice value, 0 to 19. */
  readonly priority: number;
  /** The worker's own silence limit: nothing in it may block for so long. */
  readonly timeout: Ms;
  /** From the process's start until it is ready. */
  readonly bootTimeout: Ms;
  /** To the first byte of the answer; afterwards a write may stall no longer. */
  readonly requestTimeout: Ms;
  readonly headersTimeout: Ms;
  /** Of a request to somebody's own application; 0: none. */
  readonly bodyLimit: Bytes;
  readonly keepAlive: Ms;
  readonly drainIdle: Ms;
  /** How long a drain may take that the worker was asked for by SIGTERM instead of by the master. */
  readonly gracefulTimeout: Ms;
  readonly trustedProxies: readonly Network[];
  /** What TCP addresses speak TLS with; null: they are plain. */
  readonly tls: TlsConfig | null;
  /** What becomes of headers with an underscore, of the built-in service. */
  readonly underscores: Underscores;
  /** Malformed requests are refused before an application sees them. */
  readonly strict: boolean;
  /** Of the requests that get a line in the log: 0 none, 1 all. */
  readonly accessLog: number;
  /** After so many requests, and a random number up to the jitter on top, the worker asks for its replacement; 0: never. */
  readonly maxRequests: number;
  readonly maxRequestsJitter: number;
  readonly demo: boolean;
  readonly dataDir: string;
  readonly log: { readonly target: LogTarget; readonly level: LogLevel };
  /** What the services need that the composition root adds (the broker's socket and its like). */
  readonly extras: Readonly<Record<string, unknown>>;
}

/** A certificate as it is served. */
export interface TlsConfig {
  /** The chain, PEM. */
  readonly cert: string;
  /** PEM, without a passphrase. */
  readonly key: string;
  /** 48 random bytes in base64, the same in every worker: a client may resume its session at any of them. */
  readonly ticketKeys: string;
}

/** What a worker needs and settings don't say. */
export interface WorkerExtras {
  /** The application's real path, resolved once for the generation; null: the built-in service. */
  readonly app: string | null;
  /** Whether the demo is on, after `auto` was decided. */
  readonly demo: boolean;
  readonly tls?: TlsConfig | undefined;
  readonly extras?: Readonly<Record<string, unknown>>;
}

/** What the settings say to a worker; pure, so that a reload can compare two of them. */
export function workerConfig(settings: Settings, { app, demo, tls, extras }: WorkerExtras): WorkerConfig {
  return {
    app,
    probePath: settings.probe_path ?? null,
    connections: settings.worker_connections,
    backlog: settings.backlog,
    priority: settings.worker_priority,
    timeout: settings.timeout,
    bootTimeout: settings.boot_timeout,
    requestTimeout: settings.request_timeout,
    headersTimeout: settings.headers_timeout,
    bodyLimit: settings.body_limit,
    keepAlive: settings.keep_alive,
    drainIdle: settings.drain_idle,
    gracefulTimeout: settings.graceful_timeout,
    trustedProxies: settings.trusted_proxies,
    tls: tls ?? null,
    underscores: settings.underscore_headers,
    strict: settings.strict_http,
    accessLog: settings.access_log,
    maxRequests: settings.max_requests,
    maxRequestsJitter: settings.max_requests_jitter,
    demo,
    dataDir: settings.data_dir,
    log: { target: settings.log_file, level: settings.log_level },
    extras: extras ?? {},
  };
}

import type { Server, ServerOptions } from "node:http";
import { http } from "../base/http.ts";
import type { Listener } from "./app.ts";
import type { WorkerConfig } from "./config.ts";

const { createServer } = http;

/** A head larger than this is answered 431. */
const MAX_HEADER_BYTES = 16_384;
/** How often Node looks for connections whose request does not arrive: slow senders live at most this much too long. */
const CHECK_EVERY = 500;

/** We close an idle connection this much later than we promise in Keep-Alive: time for a last request that is on its way. */
const KEEP_ALIVE_GRACE = 1_000;

/** The limits of every http server that the worker makes. Each is named, because Node's defaults change between versions. */
export function serverOptions(config: WorkerConfig): ServerOptions {
  const { requestTimeout, headersTimeout, keepAlive } = config;
  return {
    requestTimeout,
    headersTimeout: Math.min(headersTimeout, requestTimeout),
    connectionsCheckingInterval: CHECK_EVERY,
    keepAliveTimeout: keepAlive,
    keepAliveTimeoutBuffer: KEEP_ALIVE_GRACE,
    maxHeaderSize: MAX_HEADER_BYTES,
    requireHostHeader: true,
    noDelay: true,
  };
}

/** Applies what may change while running. */
export function retuneServer(server: Server, config: WorkerConfig): void {
  const { requestTimeout, headersTimeout, keepAlive } = config;
  server.requestTimeout = requestTimeout;
  server.headersTimeout = Math.min(headersTimeout, requestTimeout);
  server.keepAliveTimeout = keepAlive;
}

/** An http server with the limits above; it does not listen yet. */
export function createLimitedServer(config: WorkerConfig, listener: Listener): Server {
  const server = createServer(serverOptions(config), listener);
  server.timeout = 0; // silence of a connection is judged by the timeouts above and by the write-stall timeout
  server.maxRequestsPerSocket = 0;
  return server;
}

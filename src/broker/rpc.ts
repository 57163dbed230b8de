/** The broker's socket: who connects is a worker, and workers run application code, so that each is a client of its own. */
import { chmodSync, renameSync, rmSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";
import { dirname, join } from "node:path";
import { DroverError, messageOf } from "../base/errors.ts";
import type { Logger } from "../base/log.ts";
import type { BrokerPort } from "../sheets/direct-transport.ts";
import { SpentCalls } from "./ledger/seat.ts";
import { RpcCalls } from "./rpc-calls.ts";
import { Client, type Estate, type Serving } from "./rpc-client.ts";

/** sun_path without its terminating zero. */
const LONGEST_PATH = 107;
const MOST_CLIENTS = 1_024;

export interface RpcServer {
  /** Puts this server where workers look for the broker: whoever was there gets no new connections. One rename, no gap. */
  takeOver(): void;
  /** How many workers are connected. */
  connections(): number;
  /** Ends every connection: workers connect again, to whoever is there by then. */
  close(): void;
}

/** In a cluster's child `exclusive` keeps the socket in this process, and binding happens within the call, so that the mask covers it. */
function listenPrivately(server: Server, path: string): void {
  const mask = process.umask(0o077);
  try {
    server.listen({ path, exclusive: true });
    chmodSync(path, 0o600);
  } finally {
    process.umask(mask);
  }
}

/**
 * Serves a broker on a unix socket (0600), at first under a name of its own in the same directory.
 * @param path where workers will look, at most 107 bytes. @param estate for the broker that will take over. @throws DroverError DROVER_E_BOOT.
 */
export function serveBroker(broker: BrokerPort, path: string, log: Logger, estate?: Estate): RpcServer {
  const own = join(dirname(path), `.b${process.pid.toString(36)}${Date.now().toString(36).slice(-4)}`);
  for (const name of [path, own])
    if (Buffer.byteLength(name) > LONGEST_PATH)
      throw new DroverError(
        "DROVER_E_BOOT",
        `the broker's socket ${name} is over ${LONGEST_PATH} bytes: set DROVER_RUN_DIR to a shorter path`,
      );
  const serving: Serving = { broker, calls: new RpcCalls(broker), spent: new SpentCalls(), log, estate };
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    void new Client(socket, serving);
  });
  server.maxConnections = MOST_CLIENTS;
  server.on("error", (e) => log.error(`the broker's socket failed: ${messageOf(e)}`));
  try {
    listenPrivately(server, own);
  } catch (e) {
    throw new DroverError("DROVER_E_BOOT", `can't listen on the broker's socket ${own}: ${messageOf(e)}`);
  }
  return {
    takeOver: () => renameSync(own, path),
    connections: () => sockets.size,
    close() {
      server.close();
      for (const socket of sockets) socket.destroy();
      rmSync(own, { force: true });
    },
  };
}

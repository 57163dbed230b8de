/** The broker's socket. Its clients are workers, which run application code: their messages are input. */
import { chmodSync, lstatSync, renameSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";
import { dirname, join } from "node:path";
import { DroverError, errnoOf, messageOf } from "../base/errors.ts";
import type { Logger } from "../base/log.ts";
import { identify, inTheWay, privateDirectory, standing, takenText, type Placed } from "../base/socketfile.ts";
import { probeDirectory, storageError } from "../base/storage.ts";
import type { BrokerPort } from "../sheets/direct-transport.ts";
import { SpentCalls } from "./ledger/seat.ts";
import { RpcCalls } from "./rpc-calls.ts";
import { Client, type Estate, type Serving } from "./rpc-client.ts";

/** sun_path without its terminating zero. */
const LONGEST_PATH = 107;
const MOST_CLIENTS = 1_024;

export interface RpcServer {
  /** Puts this server where workers look for the broker, by a rename: new connections are this server's, without a gap. */
  takeOver(): void;
  /** Binds the socket again if its file was removed. Connections that were accepted go on. Never throws. */
  check(): void;
  /** Workers that start now can't connect: something else is at the path, or nothing can be put there. */
  readonly lost: boolean;
  /** How many workers are connected. */
  connections(): number;
  /** Ends every connection: workers connect again, to the broker that is at the path by then. */
  close(): void;
}

/**
 * In a cluster's child `exclusive` keeps the socket in this process, and binding happens within the call, so that the mask covers it.
 * Its error comes later, as an event: a file that can't be written there either tells the cause at once.
 * @throws Error with `code`, unless that file can be written.
 */
function listenPrivately(server: Server, path: string): void {
  const mask = process.umask(0o077);
  try {
    server.listen({ path, exclusive: true });
    if (!server.listening) {
      const code = probeDirectory(dirname(path));
      throw Object.assign(new Error(`${code ?? "unknown cause"}: no socket can be made there`), { code });
    }
    chmodSync(path, 0o600);
  } finally {
    process.umask(mask);
  }
}

let names = 0;

/**
 * A name in the directory of `path` that no broker used before. The socket is bound there and renamed: libuv removes the file
 * at the name that it bound when it closes the handle, and by then `path` may be a successor's.
 */
const temporaryName = (path: string): string =>
  join(dirname(path), `.b${process.pid.toString(36)}${Date.now().toString(36).slice(-4)}${(names += 1).toString(36)}`);

class SocketServer implements RpcServer {
  readonly #path: string;
  readonly #serving: Serving;
  readonly #sockets = new Set<Socket>();
  #bound: { readonly server: Server; readonly at: string };
  /** Where workers find it; undefined: it has not taken over yet. */
  #placed: Placed | undefined;
  #said = "";

  constructor(path: string, serving: Serving) {
    this.#path = path;
    this.#serving = serving;
    this.#bound = this.#bind();
  }

  get lost(): boolean {
    return this.#said !== "";
  }

  takeOver(): void {
    if (lstatSync(this.#path, { throwIfNoEntry: false })?.isSocket() === false) throw inTheWay(this.#path);
    try {
      renameSync(this.#bound.at, this.#path);
    } catch (error) {
      if (errnoOf(error) !== "ENOENT") throw error;
      this.#bindAgain(); // the directory was removed before this server was in place
      renameSync(this.#bound.at, this.#path);
    }
    this.#placed = identify(this.#path);
    this.#said = "";
  }

  check(): void {
    if (this.#placed === undefined) return;
    const is = standing(this.#placed);
    if (is === "foreign") this.#report(takenText("the broker's socket", this.#path));
    if (is !== "missing") return;
    try {
      this.#bindAgain();
      this.takeOver();
      this.#serving.log.warn({ path: this.#path }, `the broker's socket ${this.#path} had been removed: it is there again`);
    } catch (error) {
      this.#report(`the broker's socket ${this.#path} can't be made again, new workers can't reach the broker: ${messageOf(error)}`);
    }
  }

  connections(): number {
    return this.#sockets.size;
  }

  close(): void {
    this.#bound.server.close();
    for (const socket of this.#sockets) socket.destroy();
  }

  #bind(): { readonly server: Server; readonly at: string } {
    const { log } = this.#serving;
    const at = temporaryName(this.#path);
    const server = createServer((socket) => {
      this.#sockets.add(socket);
      socket.on("close", () => this.#sockets.delete(socket));
      void new Client(socket, this.#serving);
    });
    server.maxConnections = MOST_CLIENTS;
    server.on("error", (e) => log.error(`the broker's socket failed: ${messageOf(e)}`));
    listenPrivately(server, at);
    return { server, at };
  }

  #bindAgain(): void {
    privateDirectory(dirname(this.#path));
    const before = this.#bound.server;
    this.#bound = this.#bind();
    before.close(); // its connections go on
  }

  /** Reported once, not at every look. */
  #report(text: string): void {
    if (text !== this.#said) this.#serving.log.error({ path: this.#path }, text);
    this.#said = text;
  }
}

/**
 * Serves a broker on a unix socket (0600), at first under a name of its own in the same directory.
 * @param path where workers will look, at most 107 bytes. @param estate for the broker that will take over. @throws DroverError DROVER_E_BOOT, DROVER_E_DISK.
 */
export function serveBroker(broker: BrokerPort, path: string, log: Logger, estate?: Estate): RpcServer {
  for (const name of [path, temporaryName(path)])
    if (Buffer.byteLength(name) > LONGEST_PATH)
      throw new DroverError(
        "DROVER_E_BOOT",
        `the broker's socket ${name} is over ${LONGEST_PATH} bytes: set DROVER_RUN_DIR to a shorter path`,
      );
  const serving: Serving = { broker, calls: new RpcCalls(broker), spent: new SpentCalls(), log, estate };
  try {
    return new SocketServer(path, serving);
  } catch (e) {
    throw storageError(`can't listen on the broker's socket in ${dirname(path)}`, e, { code: "DROVER_E_BOOT" });
  }
}

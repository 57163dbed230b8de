/**
 * Servers that an application opens besides its first one. Node's `listen` in a cluster's worker asks the primary through
 * `cluster._getServer`, which would accept there, or close the port with the last worker. Here the question goes to drover's master,
 * which binds the address once, keeps it and answers with a copy of the socket.
 *
 * Private to Node: `cluster._getServer(server, query, done)`, what every way to call `listen` without `exclusive` or `reusePort` ends
 * in (lib/net.js, listenInCluster; node:dgram too). takeOverListen() checks that it exists.
 */
import cluster from "node:cluster";
import type { Server } from "node:net";
import { resolve } from "node:path";
import { DroverError } from "../base/errors.ts";
import { holdHandle, isRawHandle, type RawHandle } from "../base/held.ts";
import type { MasterPort } from "../base/port.ts";
import type { SocketAddress, ToChild } from "../base/protocol.ts";
import type { Turnstile } from "./pace.ts";

/** What Node asks for; address -1 and port -1 mark what does not apply. */
interface Query {
  readonly address: string | null;
  readonly port: number | null;
  readonly addressType: number | string | null;
  readonly fd?: number | undefined;
  readonly flags?: number | undefined;
}

/** @param errno 0, or a negative errno of libuv: the server emits `error` then. */
type Done = (errno: number, handle: RawHandle | null) => void;
type GetServer = (server: Server, query: Query, done: Done) => void;

/** What `addressType` is of a unix socket. */
const UNIX = -1;
/** UV_TCP_IPV6ONLY (uv.h). */
const IPV6_ONLY = 1;

/** One socket of a further server. */
interface Further {
  close(): void;
  /** As the application's `listen` did. */
  listen(): void;
  readonly handle: RawHandle;
}

export class FurtherServers implements Turnstile {
  readonly #port: MasterPort;
  readonly #asked = new Map<number, { readonly address: SocketAddress; readonly done: Done }>();
  /** By address, which of its servers exist: their `nth`. */
  readonly #open = new Map<string, Set<number>>();
  readonly #sockets = new Set<Further>();
  #held = false;
  #lastId = 0;
  /** Called for each connection that a further server has accepted. */
  accepted: () => void = () => {};

  constructor(port: MasterPort) {
    this.#port = port;
  }

  /**
   * Every `listen` of this process from now on asks the master, except for UDP sockets, which node:cluster shares.
   * @throws DroverError DROVER_E_RUNTIME when this Node.js lacks the private part.
   */
  takeOverListen(): void {
    if (!cluster.isWorker) return;
    const internals = cluster as unknown as { _getServer?: GetServer };
    const original = internals._getServer;
    if (typeof original !== "function")
      throw new DroverError(
        "DROVER_E_RUNTIME",
        `Node.js ${process.version} has no cluster._getServer: run drover with Node.js 26.4 to 26.x`,
      );
    internals._getServer = (server, query, done) => {
      if (typeof query.addressType === "string") return Reflect.apply(original, cluster, [server, query, done]);
      if (typeof query.fd === "number" && query.fd >= 0) return refuseDescriptor(server, query.fd);
      const accepted = this.#accepted;
      server.off("connection", accepted).on("connection", accepted); // once, however often it listens
      this.#ask(query, done);
    };
  }

  /** The master's answer. */
  bound({ id, errno }: Extract<ToChild, { type: "bound" }>, handle: unknown): void {
    const asked = this.#asked.get(id);
    this.#asked.delete(id);
    if (asked === undefined) return;
    const { address, done } = asked;
    if (errno === 0 && isRawHandle(handle)) return done(0, this.#watch(handle, address));
    this.#forget(address);
    done(errno === 0 ? -ENOTSOCK : errno, null);
  }

  /** Stops accepting; the servers stay open to the application, and other workers accept from the same sockets. */
  stop(): void {
    for (const { close } of this.#sockets) close();
    this.#sockets.clear();
  }

  /** How many sockets they listen on. */
  get size(): number {
    return this.#sockets.size;
  }

  hold(): boolean {
    this.#held = true;
    return [...this.#sockets].every(({ handle }) => holdHandle(handle));
  }

  release(): void {
    this.#held = false;
    for (const { listen } of this.#sockets) listen();
  }

  readonly #accepted = (): void => this.accepted();

  #ask({ address, port, addressType, flags }: Query, done: Done): void {
    const unix = addressType === UNIX;
    const place = {
      path: unix ? absolute(address ?? "") : null,
      host: unix ? null : address,
      port: unix ? 0 : (port ?? 0),
      ipv6Only: !unix && ((flags ?? 0) & IPV6_ONLY) !== 0,
    };
    const key = JSON.stringify(place);
    const taken = this.#open.get(key) ?? new Set();
    let nth = 0;
    while (taken.has(nth)) nth += 1;
    this.#open.set(key, taken.add(nth));
    const id = (this.#lastId += 1);
    this.#asked.set(id, { address: { ...place, nth }, done });
    this.#port.send({ type: "bind", id, address: { ...place, nth } });
  }

  #forget({ nth, ...place }: SocketAddress): void {
    const key = JSON.stringify(place);
    const taken = this.#open.get(key);
    if (taken?.delete(nth) === true && taken.size === 0) this.#open.delete(key);
  }

  /** Reports the handle's end to the master, which may close the socket then. */
  #watch(handle: RawHandle, address: SocketAddress): RawHandle {
    const close = handle.close.bind(handle);
    const listen = handle.listen.bind(handle);
    let backlog: number | undefined;
    const socket: Further = { handle, close, listen: () => void (backlog === undefined || listen(backlog)) };
    this.#sockets.add(socket);
    handle.listen = (asked) => {
      const code = listen((backlog = asked));
      if (this.#held && code === 0) holdHandle(handle);
      return code;
    };
    handle.close = (callback) => {
      if (this.#sockets.delete(socket)) {
        this.#forget(address);
        this.#port.send({ type: "unbind", address });
      }
      close(callback);
    };
    return handle;
  }
}

/** The master may run in another directory than the application has changed to. */
const absolute = (path: string): string => (path.startsWith("\0") ? path : resolve(path));

const ENOTSOCK = 88;

function refuseDescriptor(server: Server, fd: number): void {
  const error = new DroverError(
    "DROVER_E_APP",
    `listen({ fd: ${fd} }): a worker inherits no socket to listen on. Give the descriptor to the daemon (DROVER_BIND=fd://${fd}), or listen on an address`,
  );
  process.nextTick(() => server.emit("error", error));
}

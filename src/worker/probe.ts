/**
 * A request to this very worker. A client's request goes to whichever worker accepts it, so the probe must not come through
 * the port that all of them share: the worker connects to itself on 127.0.0.1 and hands the accepted end to its server, as if
 * it had been accepted there. From the socket on it is a request like any other, with an address and a parser: an application
 * that reads `socket.remoteAddress` finds one, which neither a unix socket nor a pair of streams would give it.
 */
import { once } from "node:events";
import type { Server } from "node:http";
import net, { type AddressInfo, type Socket } from "node:net";
import { http } from "../base/http.ts";
import { messageOf } from "../base/errors.ts";
import type { Ms } from "../base/units.ts";

export interface Probed {
  readonly ok: boolean;
  /** One line: the status, or why there was none. */
  readonly message: string;
}

/** @returns what `server` answers to `GET path`. Never throws: no answer is an answer too. */
export async function probe(server: Server, path: string, within: Ms): Promise<Probed> {
  const signal = AbortSignal.timeout(within);
  try {
    const [client, accepted] = await pair(signal);
    server.emit("connection", accepted);
    const status = await statusOf(client, { path, signal });
    return { ok: status >= 200 && status < 400, message: `GET ${path} was answered with ${status}` };
  } catch (error) {
    const why = signal.aborted ? `nothing came within ${within / 1_000} s` : messageOf(error);
    return { ok: false, message: `GET ${path} was not answered: ${why}` };
  }
}

/** Both ends of one connection through the loopback. Whoever else finds the port in this moment is hung up on. */
async function pair(signal: AbortSignal): Promise<readonly [Socket, Socket]> {
  const accepted = new Map<number, Socket>();
  const door = net.createServer((socket) => {
    socket.on("error", () => socket.destroy());
    accepted.set(socket.remotePort ?? 0, socket);
  });
  try {
    door.listen({ host: "127.0.0.1", port: 0, exclusive: true }); // exclusive: not by way of the cluster's master
    await once(door, "listening", { signal });
    const client = net.connect({ host: "127.0.0.1", port: (door.address() as AddressInfo).port });
    await once(client, "connect", { signal });
    const own = client.localPort ?? 0;
    while (!accepted.has(own)) await once(door, "connection", { signal });
    const socket = accepted.get(own) as Socket;
    accepted.delete(own);
    return [client, socket];
  } finally {
    door.close();
    for (const stranger of accepted.values()) stranger.destroy();
  }
}

interface Asked {
  readonly path: string;
  readonly signal: AbortSignal;
}

function statusOf(socket: Socket, { path, signal }: Asked): Promise<number> {
  const headers = { host: "127.0.0.1", "user-agent": "drover-probe", accept: "*/*", connection: "close" };
  return new Promise((resolve, reject) => {
    http
      .get({ path, headers, signal, createConnection: () => socket }, (res) => {
        resolve(res.statusCode ?? 0);
        res.destroy(); // the rest of the answer says nothing more, and may never end (an event stream)
      })
      .on("error", (error) => {
        socket.destroy();
        reject(error);
      });
  });
}

/**
 * Bounds the connections of an HTTP server of the master by closing idle ones: a client that holds connections open must not
 * keep the operator out. Over the limit the oldest connection without a whole request is closed,
 * one that was never answered first; while every connection has a whole request under way, the new one
 * is closed.
 */
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { Socket } from "node:net";

interface Use {
  requests: number;
  /** Incomplete until its body has arrived. */
  latest: IncomingMessage | undefined;
  answered: boolean;
}

/**
 * Call it once, before the server listens and after its request listeners were replaced.
 * @param closed called for each connection closed for another.
 */
export function limitConnections(server: Server, most: number, closed: () => void = () => {}): void {
  /** The longest unused first. */
  const open = new Map<Socket, Use>();
  const victim = (): Socket | undefined => {
    let answered: Socket | undefined;
    for (const [socket, use] of open) {
      if (use.requests > 0 && use.latest?.complete === true) continue;
      if (!use.answered) return socket;
      answered ??= socket;
    }
    return answered;
  };
  server.on("connection", (socket: Socket) => {
    const surplus = open.size >= most ? (victim() ?? socket) : undefined;
    if (surplus !== socket) {
      open.set(socket, { requests: 0, latest: undefined, answered: false });
      socket.once("close", () => open.delete(socket));
    }
    if (surplus === undefined) return;
    open.delete(surplus);
    surplus.destroy();
    closed();
  });
  server.on("request", (req: IncomingMessage, res: ServerResponse) => {
    const { socket } = req;
    const use = open.get(socket);
    if (use === undefined) return;
    use.requests += 1;
    use.latest = req;
    res.once("close", () => {
      use.requests -= 1;
      use.answered = true;
      if (open.delete(socket) && !socket.destroyed) open.set(socket, use);
    });
  });
}

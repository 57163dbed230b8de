import type { IncomingMessage, Server } from "node:http";
import type { Connections } from "./connections.ts";

/** RFC 6455: FIN and opcode 8 (close), unmasked, two bytes: 1001, "going away". */
const GOING_AWAY = Buffer.from([0x88, 0x02, 0x03, 0xe9]);

/**
 * Notes which connections leave HTTP, and for what. Node asks `shouldUpgradeCallback` once for each such request; an `upgrade`
 * listener of our own would make Node upgrade where the application does not want to.
 */
export function watchUpgrades(server: Server, connections: Connections): void {
  const asked = server as unknown as { shouldUpgradeCallback?: (req: IncomingMessage) => boolean };
  const decide = asked.shouldUpgradeCallback;
  if (decide === undefined) return;
  asked.shouldUpgradeCallback = (req) => {
    const upgrade = decide.call(server, req);
    const seat = upgrade ? connections.of(req.socket) : undefined;
    if (seat !== undefined) seat.upgraded = (req.headers.upgrade ?? "").toLowerCase();
    return upgrade;
  };
}

/**
 * Says goodbye on WebSockets: 1001, to which the client answers and closes. The frame goes straight to the socket, between
 * whole frames of the application's library; a library that has said goodbye by itself (it may watch `drover.draining`) loses
 * nothing, because the client has stopped reading by then. Other protocols are the application's to end.
 */
export function closeWebSockets(connections: Connections): void {
  for (const { socket, upgraded } of connections) {
    if (upgraded === "websocket" && socket.writable) socket.write(GOING_AWAY);
  }
}

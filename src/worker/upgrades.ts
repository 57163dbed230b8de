import type { IncomingMessage, Server } from "node:http";
import type { Clock } from "../base/clock.ts";
import { between, type Ms } from "../base/units.ts";
import type { Connections } from "./connections.ts";
import { followWebSocket } from "./farewell.ts";

/**
 * Notes which connections leave HTTP, and for what. Node asks `shouldUpgradeCallback` once for each such request; an `upgrade`
 * listener of our own would make Node upgrade where the application does not want to.
 */
export function watchUpgrades(server: Server, connections: Connections, clock: Clock): void {
  const asked = server as unknown as { shouldUpgradeCallback?: (req: IncomingMessage) => boolean };
  const decide = asked.shouldUpgradeCallback;
  if (decide === undefined) return;
  asked.shouldUpgradeCallback = (req) => {
    const upgrade = decide.call(server, req);
    const seat = upgrade ? connections.of(req.socket) : undefined;
    if (seat === undefined) return upgrade;
    seat.upgraded = (req.headers.upgrade ?? "").toLowerCase();
    if (seat.upgraded === "websocket") seat.farewell = followWebSocket(req.socket, clock);
    return upgrade;
  };
}

/** Says goodbye on WebSockets: 1001, to which the client answers and closes. Other protocols are the application's to end. */
export function closeWebSockets(connections: Connections): void {
  for (const { farewell } of connections) farewell?.say();
}

/**
 * Ends WebSockets whose client has not closed its end for so long after the goodbye. One that is in the middle of a frame, and
 * other protocols, keep their connection until the drain's own end.
 */
export function dropWebSockets(connections: Connections, clock: Clock, patience: Ms): void {
  const now = clock.now();
  for (const { socket, farewell } of connections)
    if (farewell?.saidAt !== undefined && between(farewell.saidAt, now) >= patience) socket.destroySoon();
}

/** `/admin`, `/api/admin/*` and `/metrics`: the administration's own, before any route of the application sees them. */
import type { FastifyInstance } from "fastify";
import type { Health } from "../../base/protocol.ts";
import { minutes, ms, type Ms } from "../../base/units.ts";
import { requestIdOf } from "../requestid.ts";
import type { AdminDoor, AppServices } from "../services.ts";

/** Wrong tries in a minute, counted once for the machine: of one client, and of all. Who has a good key is never kept out by them. */
const TRIES = { own: 10, all: 200, per: minutes(1) };

/** That this request is answered is a sign that a worker serves, whatever was pushed here last. */
const serving = (health: Health): Health => ({ ...health, workers: { ...health.workers, ready: Math.max(1, health.workers.ready) } });

export function adminRoutes(fastify: FastifyInstance, { ledger, limiter, clients, health }: AppServices, door: AdminDoor): void {
  const strike = async (address: string | undefined): Promise<Ms> => {
    const own = address === undefined ? [] : [{ key: `admin:address:${address}`, most: TRIES.own, per: TRIES.per }];
    const spent = await ledger.spend([...own, { key: "admin:all:", most: TRIES.all, per: TRIES.per }]);
    return spent.is === "over" ? spent.retryAfter : ms(0);
  };
  fastify.addHook("onRequest", (request, reply, done) => {
    if (!door.owns(request.raw.url ?? "/")) return done();
    const requestId = requestIdOf(request, reply);
    const address = limiter.address(request.raw);
    reply.hijack();
    door.answer(request.raw, reply.raw, {
      client: address ?? "unknown",
      requestId,
      secure: clients.isSecure(request.raw),
      health: serving(health()),
      strike: () => strike(address),
    });
  });
}

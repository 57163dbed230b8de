/** `GET /healthz`: for load balancers and uptime monitors. */
import type { FastifyInstance } from "fastify";
import { JSON_TYPE } from "../headers.ts";
import type { AppServices } from "../services.ts";

/**
 * 200 as long as requests are served, degraded or not: rows that can't be refreshed are still served, and a monitor that
 * took the machine out of rotation for them would make it worse. 503 only while the whole service stops.
 */
export function healthRoute(fastify: FastifyInstance, services: AppServices): void {
  fastify.get("/healthz", (_request, reply) => {
    const { status, upstream, demo } = services.health();
    const stopping = status === "stopping";
    if (stopping) reply.header("Retry-After", "5");
    return reply
      .code(stopping ? 503 : 200)
      .header("Cache-Control", "no-store")
      .type(JSON_TYPE)
      .send(JSON.stringify({ status, upstream, demo }));
  });
}

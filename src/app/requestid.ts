import type { FastifyReply, FastifyRequest } from "fastify";

/**
 * Makes sure that the answer names its request: the worker has set X-Request-Id on it already; where there is no worker
 * before the application (a test, another server), Fastify's id is taken.
 */
export function nameRequest(request: FastifyRequest, reply: FastifyReply): void {
  if (!reply.raw.hasHeader("x-request-id")) reply.raw.setHeader("X-Request-Id", request.id);
}

/** The id that the answer will carry: what the client tells the operator. */
export function requestIdOf(request: FastifyRequest, reply: FastifyReply): string {
  const given = reply.raw.getHeader("x-request-id");
  return typeof given === "string" ? given : request.id;
}

import type { FastifyReply, FastifyRequest } from "fastify";
import type { Problem } from "../problem.ts";
import type { AppServices } from "../services.ts";
import { STRANGER, type Who } from "./who.ts";

/**
 * Who asks, where it matters.
 * @param personal false: the answer is the same for everybody, so the cookie is not looked at.
 * @returns the problem of a session that is over: a member must hear that, rather than be taken for a stranger.
 */
export async function askerOf(
  request: FastifyRequest,
  reply: FastifyReply,
  personal: boolean,
  { sessions }: AppServices,
): Promise<Who | Problem> {
  if (!personal) return STRANGER;
  const standing = await sessions.who(request.raw, reply.raw);
  return standing.is === "out" ? standing.problem : standing;
}

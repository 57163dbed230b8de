/** Bodies that are whole in memory: the page, the OpenAPI document. */
import type { FastifyReply, FastifyRequest } from "fastify";

export interface Fixed {
  readonly body: Buffer;
  /** Opaque tag without quotes. */
  readonly etag: string;
  readonly type: string;
  readonly cacheControl: string;
}

/** 304 when the client has it (RFC 9110 §13.1.2), else 200. HEAD is Fastify's care. */
export function sendFixed(request: FastifyRequest, reply: FastifyReply, { body, etag, type, cacheControl }: Fixed): FastifyReply {
  reply.headers({ ETag: `"${etag}"`, "Cache-Control": cacheControl });
  if (hasTag(request.headers["if-none-match"], etag)) return reply.code(304).send();
  return reply.type(type).send(body);
}

/**
 * Whether a list of tags, or `*`, names this one.
 * @param tag without quotes.
 * @param comparison weak, as If-None-Match asks for: with or without W/; strong, as If-Match does: without.
 */
export function hasTag(header: string | undefined, tag: string, comparison: "weak" | "strong" = "weak"): boolean {
  if (header === undefined) return false;
  const bare = (item: string): string => (comparison === "weak" ? item.trim().replace(/^W\//, "") : item.trim());
  return header.trim() === "*" || header.split(",").some((item) => bare(item) === `"${tag}"`);
}

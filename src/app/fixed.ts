/** Bodies that are whole in memory: the page, the OpenAPI document. */
import type { FastifyReply, FastifyRequest } from "fastify";
import { encodingFor, tagIn, type CompressedBodies } from "./compressed.ts";

export interface Fixed {
  readonly body: Buffer;
  /** Opaque tag without quotes. */
  readonly etag: string;
  readonly type: string;
  readonly cacheControl: string;
}

/** 304 when the client has it (RFC 9110 §13.1.2), else 200, in the encoding that the client likes best. HEAD is Fastify's care. */
export async function sendFixed(
  request: FastifyRequest,
  reply: FastifyReply,
  { body, etag, type, cacheControl }: Fixed,
  compressed: CompressedBodies,
): Promise<FastifyReply> {
  const encoding = encodingFor(request.headers["accept-encoding"], body.length);
  const tag = tagIn(etag, encoding);
  reply.headers({ ETag: `"${tag}"`, "Cache-Control": cacheControl, Vary: "Accept-Encoding" });
  if (hasTag(request.headers["if-none-match"], tag)) return reply.code(304).send();
  reply.type(type);
  if (encoding === "identity") return reply.send(body);
  return reply.header("Content-Encoding", encoding).send(await compressed.get(etag, encoding, () => Promise.resolve(body)));
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

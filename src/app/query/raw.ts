import type { FastifyRequest } from "fastify";

/** The part of the target behind the first `?`, as it was sent. */
export function rawQuery(request: FastifyRequest<object>): string {
  const target = request.raw.url ?? "";
  const mark = target.indexOf("?");
  return mark === -1 ? "" : target.slice(mark + 1);
}

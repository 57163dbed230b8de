/** `GET /api/openapi.json`. */
import type { FastifyInstance } from "fastify";
import { CompressedBodies } from "../compressed.ts";
import { describe, hasLogin } from "../described.ts";
import { sendFixed } from "../fixed.ts";
import { JSON_TYPE } from "../headers.ts";
import { knownTables } from "../listing.ts";
import { openApiDocument } from "../openapi/document.ts";
import { sendProblem } from "../problem.ts";
import { digest } from "../query/canonical.ts";
import type { AppServices } from "../services.ts";
import { isOpen } from "../visibility.ts";

/** Made again only when a table that strangers may do something with comes, goes or changes its columns. */
export function openApiRoute(fastify: FastifyInstance, services: AppServices, version: string): void {
  let made: { readonly from: string; readonly body: Buffer; readonly etag: string } | undefined;
  const compressed = new CompressedBodies();
  fastify.get("/api/openapi.json", async (request, reply) => {
    const listed = await knownTables(services.tables, request.raw.signal);
    if ("status" in listed) return sendProblem(request, reply, listed);
    const tables = await Promise.all(listed.filter(isOpen).map((info) => describe(info, request.raw.signal, services)));
    const login = await hasLogin(request.raw.signal, services);
    const from = JSON.stringify([tables, login]);
    if (made?.from !== from) {
      const body = Buffer.from(JSON.stringify(openApiDocument(tables, version, login)));
      made = { from, body, etag: digest(body, 15) };
    }
    return sendFixed(request, reply, { ...made, type: JSON_TYPE, cacheControl: "public, no-cache" }, compressed);
  });
}

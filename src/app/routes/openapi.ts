/** `GET /api/openapi.json`. */
import type { FastifyInstance } from "fastify";
import type { TableInfo } from "../../sheets/types.ts";
import { UnavailableError } from "../../sheets/unavailable.ts";
import { sendFixed } from "../fixed.ts";
import { JSON_TYPE } from "../headers.ts";
import { knownTables } from "../listing.ts";
import { openApiDocument } from "../openapi/document.ts";
import type { DescribedTable } from "../openapi/schemas.ts";
import { sendProblem } from "../problem.ts";
import { digest } from "../query/canonical.ts";
import type { AppServices } from "../services.ts";
import { isOpen, may } from "../visibility.ts";

/** Made again only when a table that strangers may do something with comes, goes or changes its columns. */
export function openApiRoute(fastify: FastifyInstance, services: AppServices, version: string): void {
  let made: { readonly from: string; readonly body: Buffer; readonly etag: string } | undefined;
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
    return sendFixed(request, reply, { ...made, type: JSON_TYPE, cacheControl: "public, no-cache" });
  });
}

/** Whether the tables file names users; as long as they can't be read for another reason, it does. */
async function hasLogin(signal: AbortSignal, { accounts }: AppServices): Promise<boolean> {
  try {
    await accounts.load(signal);
    return true;
  } catch (thrown) {
    if (!(thrown instanceof UnavailableError)) throw thrown;
    return thrown.why.reason !== "unknown";
  }
}

/**
 * A table that can't be loaded is described without its columns: the document must not fail because one of them does. The columns of
 * one whose rows nobody may see are not told, and nothing of it is fetched.
 */
async function describe(info: TableInfo, signal: AbortSignal, { tables, log }: AppServices): Promise<DescribedTable> {
  const { name } = info;
  const rights = { read: may(info, "read"), append: may(info, "append"), update: may(info, "update") };
  if (!rights.read) return { name, rights, columns: undefined, key: undefined };
  const view =
    tables.peek(name) ??
    (await tables.table(name, signal).catch((reason: unknown) => {
      log.debug({ table: name, err: reason }, "a table is described without its columns");
      return undefined;
    }));
  return { name, rights, columns: view?.snapshot.columns, key: view?.snapshot.key };
}

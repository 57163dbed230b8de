/** `GET /api/tables/:table` and `GET /api/tables/:table/:key`. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { TableView } from "../../sheets/client.ts";
import { UnavailableError } from "../../sheets/unavailable.ts";
import { knownTables } from "../listing.ts";
import { applied } from "../limits/limiter.ts";
import { give, listAnswer, rowAnswer } from "../prepared.ts";
import { badParameter, problem, sendProblem, type Problem } from "../problem.ts";
import { bindQuery } from "../query/bind.ts";
import { MAX_QUERY, quoted } from "../query/model.ts";
import { parseQuery, splitPairs } from "../query/parse.ts";
import { rawQuery } from "../query/raw.ts";
import { pageOf, placeOf } from "../select.ts";
import type { AppServices } from "../services.ts";
import { unavailable } from "../unavailable.ts";
import { refusal, unknownTable, type TablePath } from "../visibility.ts";

type TableRequest = FastifyRequest<{ Params: { table: string } }>;
type RowRequest = FastifyRequest<{ Params: { table: string; key: string } }>;

export function tableRoutes(fastify: FastifyInstance, services: AppServices): void {
  const { limiter } = services;
  const onRequest = async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply | undefined> => {
    const over = applied(limiter.read(request, undefined), reply);
    return over === undefined ? undefined : sendProblem(request, reply, over);
  };
  fastify.get("/api/tables/:table", { onRequest }, (request: TableRequest, reply) => list(request, reply, services));
  fastify.get("/api/tables/:table/:key", { onRequest }, (request: RowRequest, reply) => row(request, reply, services));
}

async function list(request: TableRequest, reply: FastifyReply, services: AppServices): Promise<FastifyReply> {
  const raw = rawQuery(request);
  if (raw.length > MAX_QUERY) return sendProblem(request, reply, problem(414, "uri-too-long", `the query is over ${MAX_QUERY} characters`));
  const parsed = parseQuery(raw);
  if (!parsed.ok) return sendProblem(request, reply, badParameter(parsed.bad));
  const opened = await open(request.params.table, "rows", request.raw.signal, services);
  if ("status" in opened) return sendProblem(request, reply, opened);
  const query = bindQuery(opened.info.name, parsed.value, opened.snapshot.columns);
  if (!query.ok) return sendProblem(request, reply, badParameter(query.bad));
  const page = await pageOf(opened, query.value, services.threads, request.raw.signal);
  give(request, reply, opened, listAnswer(opened, query.value, page), services);
  return reply;
}

async function row(request: RowRequest, reply: FastifyReply, services: AppServices): Promise<FastifyReply> {
  const pairs = splitPairs(rawQuery(request));
  if (!pairs.ok) return sendProblem(request, reply, badParameter(pairs.bad));
  const [surplus] = pairs.value.keys();
  if (surplus !== undefined)
    return sendProblem(request, reply, badParameter({ parameter: surplus, detail: "is unknown: a single row takes no parameters" }));
  const opened = await open(request.params.table, "row", request.raw.signal, services);
  if ("status" in opened) return sendProblem(request, reply, opened);
  const { key } = request.params;
  const place = await placeOf(opened, key, services.threads, request.raw.signal);
  if (place === undefined)
    return sendProblem(
      request,
      reply,
      problem(404, "unknown-key", `the table ${quoted(opened.info.name)} has no row with the key ${quoted(key)}`),
    );
  give(request, reply, opened, rowAnswer(opened, place), services);
  return reply;
}

/**
 * A table's rows, if strangers may read them. Visibility comes first, so that nobody can have a private table fetched;
 * it is asked again of the view, because it may have changed while its rows were on their way.
 */
async function open(name: string, path: TablePath, signal: AbortSignal, services: AppServices): Promise<TableView | Problem> {
  const listed = await knownTables(services.tables, signal);
  if ("status" in listed) return listed;
  const info = listed.find((known) => known.name === name);
  const refused = info === undefined ? unknownTable(name) : refusal(info, "read", path);
  if (refused !== undefined) return refused;
  try {
    const view = await services.tables.table(name, signal);
    return refusal(view.info, "read", path) ?? view;
  } catch (thrown) {
    if (!(thrown instanceof UnavailableError)) throw thrown;
    return thrown.why.reason === "unknown" ? unknownTable(name) : unavailable(thrown.why, name);
  }
}

/** `GET /api/tables/:table` and `GET /api/tables/:table/:key`. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { TableView } from "../../sheets/client.ts";
import type { Priority } from "../../sheets/types.ts";
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
import { askerOf } from "../session/asker.ts";
import { ownFilter, owns } from "../session/own.ts";
import { unavailable } from "../unavailable.ts";
import { audienceOf, isPersonal, ownerFor, refusal, unknownTable, type TablePath } from "../visibility.ts";

type TableRequest = FastifyRequest<{ Params: { table: string } }>;
type RowRequest = FastifyRequest<{ Params: { table: string; key: string } }>;

export function tableRoutes(fastify: FastifyInstance, services: AppServices): void {
  const onRequest = (request: FastifyRequest, reply: FastifyReply) => countRead(request, reply, services);
  fastify.get("/api/tables/:table", { onRequest }, (request: TableRequest, reply) => list(request, reply, services));
  fastify.get("/api/tables/:table/:key", { onRequest }, (request: RowRequest, reply) => row(request, reply, services));
}

async function countRead(request: FastifyRequest, reply: FastifyReply, { limiter }: AppServices): Promise<FastifyReply | undefined> {
  const over = applied(await limiter.read(request.raw), reply);
  return over === undefined ? undefined : sendProblem(request, reply, over);
}

/** Rows without one whose key is the last segment of a fixed path: they are searched once. */
const without = new WeakMap<TableView["snapshot"], string>();

/** Answers with the row whose key is the last segment of a fixed path. @returns whether there is one, and it may be read. */
export async function rowBehind(
  key: string,
  request: TableRequest,
  reply: FastifyReply,
  services: AppServices,
  priority: Priority,
): Promise<boolean> {
  const opened = await open(request, reply, { path: "row", priority }, services);
  if ("status" in opened || without.get(opened.view.snapshot) === key) return false;
  const found = await findIn(opened, key, request, services);
  if ("status" in found && found.code === "unknown-key" && opened.owner === undefined) without.set(opened.view.snapshot, key);
  if ("status" in found) return false;
  if ((await countRead(request, reply, services)) === undefined) giveRow(request, reply, found, services);
  return true;
}

async function list(request: TableRequest, reply: FastifyReply, services: AppServices): Promise<FastifyReply> {
  const raw = rawQuery(request);
  if (raw.length > MAX_QUERY) return sendProblem(request, reply, problem(414, "uri-too-long", `the query is over ${MAX_QUERY} characters`));
  const parsed = parseQuery(raw);
  if (!parsed.ok) return sendProblem(request, reply, badParameter(parsed.bad));
  const opened = await open(request, reply, { path: "rows" }, services);
  if ("status" in opened) return sendProblem(request, reply, opened);
  const { view, owner, audience } = opened;
  const query = bindQuery(view.info.name, parsed.value, view.snapshot.columns, ownFilter(view.info, owner));
  if (!query.ok) return sendProblem(request, reply, badParameter(query.bad));
  const page = await pageOf(view, query.value, services.threads, request.raw.signal);
  give(request, reply, view, listAnswer(view, query.value, page, audience), { ...services, audience });
  return reply;
}

async function row(request: RowRequest, reply: FastifyReply, services: AppServices): Promise<FastifyReply> {
  const pairs = splitPairs(rawQuery(request));
  if (!pairs.ok) return sendProblem(request, reply, badParameter(pairs.bad));
  const [surplus] = pairs.value.keys();
  if (surplus !== undefined)
    return sendProblem(request, reply, badParameter({ parameter: surplus, detail: "is unknown: a single row takes no parameters" }));
  const found = await find(request, reply, request.params.key, services);
  if ("status" in found) return sendProblem(request, reply, found);
  giveRow(request, reply, found, services);
  return reply;
}

interface FoundRow extends Opened {
  readonly place: number;
}

async function find(request: TableRequest, reply: FastifyReply, key: string, services: AppServices): Promise<FoundRow | Problem> {
  const opened = await open(request, reply, { path: "row" }, services);
  return "status" in opened ? opened : findIn(opened, key, request, services);
}

async function findIn(opened: Opened, key: string, request: TableRequest, services: AppServices): Promise<FoundRow | Problem> {
  const { view, owner } = opened;
  const place = await placeOf(view, key, services.threads, request.raw.signal);
  if (place === undefined || (owner !== undefined && !owns(view.snapshot.row(place), view.info, owner)))
    return problem(404, "unknown-key", `the table ${quoted(view.info.name)} has no row with the key ${quoted(key)}`);
  return { ...opened, place };
}

function giveRow(request: TableRequest, reply: FastifyReply, { view, place, audience }: FoundRow, services: AppServices): void {
  give(request, reply, view, rowAnswer(view, place, audience), { ...services, audience });
}

/** What a table is opened for. */
interface Use {
  readonly path: TablePath;
  /** Of the call to Google that it may take. */
  readonly priority?: Priority;
}

/** A table's rows, as far as whoever asks may read them. */
interface Opened {
  readonly view: TableView;
  /** Only this user's rows. */
  readonly owner: string | undefined;
  readonly audience: string | undefined;
}

/**
 * Visibility comes first, so that nobody can have a table fetched that they may not read; it is asked again of the view, because it may
 * have changed while its rows were on their way.
 */
export async function open(request: TableRequest, reply: FastifyReply, use: Use, services: AppServices): Promise<Opened | Problem> {
  const { path, priority } = use;
  const { table: name } = request.params;
  const { signal } = request.raw;
  const listed = await knownTables(services.tables, signal);
  if ("status" in listed) return listed;
  const info = listed.find((known) => known.name === name);
  if (info === undefined) return unknownTable(name);
  const who = await askerOf(request, reply, isPersonal(info, "read"), services);
  if ("status" in who) return who;
  const refused = refusal(info, "read", path, who);
  if (refused !== undefined) return refused;
  try {
    const view = await services.tables.table(name, signal, priority);
    const late = refusal(view.info, "read", path, who);
    return late ?? { view, owner: ownerFor(view.info, "read", who), audience: audienceOf(view.info, who) };
  } catch (thrown) {
    if (!(thrown instanceof UnavailableError)) throw thrown;
    return thrown.why.reason === "unknown" ? unknownTable(name) : unavailable(thrown.why, name);
  }
}

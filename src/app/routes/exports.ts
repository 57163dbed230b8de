/** `GET /api/tables/:table/export`: the rows of a list, all of them, as a file; without parameters the row with the key `export`, if there is one. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { ms } from "../../base/units.ts";
import type { TableView } from "../../sheets/client.ts";
import { readAsked, type Asked } from "../export/asked.ts";
import { attachment } from "../export/disposition.ts";
import { Exports, MOST_EXPORTS } from "../export/exports.ts";
import { FORMATS } from "../export/formats.ts";
import type { Job } from "../export/pieces.ts";
import type { Selected } from "../export/thread.ts";
import { MOST_COLUMNS, MOST_ROWS } from "../export/xlsx.ts";
import { hasTag } from "../fixed.ts";
import { applied, EXPORTS_TAKEN } from "../limits/limiter.ts";
import { caching, cacheOf } from "../prepared.ts";
import { badParameter, problem, retryAfter, sendProblem, type Problem } from "../problem.ts";
import { bindQuery } from "../query/bind.ts";
import { digest } from "../query/canonical.ts";
import { MAX_QUERY, type Query } from "../query/model.ts";
import { rawQuery } from "../query/raw.ts";
import type { AppServices } from "../services.ts";
import { ownFilter } from "../session/own.ts";
import { open, rowBehind } from "./tables.ts";

/** Changes whenever the same rows and query give other bytes: it is part of the ETag. */
const FORMAT = 1;
/** About when one of several exports will be over. */
const RETRY = 5_000;

type ExportRequest = FastifyRequest<{ Params: { table: string } }>;

/** What is asked for, checked against the table. */
interface Order {
  readonly view: TableView;
  /** Who it is for; undefined: everybody. */
  readonly audience: string | undefined;
  readonly asked: Asked;
  readonly query: Query;
}

export function exportRoute(fastify: FastifyInstance, services: AppServices): void {
  const exports = new Exports(services);
  fastify.get("/api/tables/:table/export", async (request: ExportRequest, reply) => {
    if (rawQuery(request) === "" && (await rowBehind("export", request, reply, services, "export"))) return reply; // an export names its format
    const order = await readOrder(request, reply, services);
    if ("status" in order) return sendProblem(request, reply, order);
    const head = headOf(order, services);
    if (hasTag(request.headers["if-none-match"], head.ETag)) return notModified(reply, head);
    const who = await services.limiter.who(request.raw);
    const leave = services.limiter.exports.tryEnter(who);
    if (leave === undefined) return sendProblem(request, reply, EXPORTS_TAKEN);
    try {
      const over = applied(await services.limiter.export(who), reply);
      if (over !== undefined) return sendProblem(request, reply, over);
      if (exports.full) return sendProblem(request, reply, full());
      await exports.hold(() => answer(request, reply, order, exports, head));
      return reply;
    } finally {
      leave();
    }
  });
}

async function readOrder(request: ExportRequest, reply: FastifyReply, services: AppServices): Promise<Order | Problem> {
  const raw = rawQuery(request);
  if (raw.length > MAX_QUERY) return problem(414, "uri-too-long", `the query is over ${MAX_QUERY} characters`);
  const asked = readAsked(raw);
  if (!asked.ok) return badParameter(asked.bad);
  const opened = await open(request, reply, { path: "row", priority: "export" }, services);
  if ("status" in opened) return opened;
  const { view, owner, audience } = opened;
  const query = bindQuery(view.info.name, asked.value.query, view.snapshot.columns, ownFilter(view.info, owner));
  return query.ok ? { view, audience, asked: asked.value, query: query.value } : badParameter(query.bad);
}

/** Over when nothing is done for it any more, which may be before the answer is: one that is queued behind another hears of no end. */
async function answer(
  request: ExportRequest,
  reply: FastifyReply,
  { view, asked, query }: Order,
  exports: Exports,
  head: Head,
): Promise<void> {
  const { raw: res } = reply;
  const selected = await exports.select(view, query, res);
  if (selected === undefined) return;
  const tooLarge = unfit(view, asked, selected);
  if (tooLarge !== undefined) return void sendProblem(request, reply, tooLarge);
  const { order, from, to } = selected;
  const begin = (): void => {
    reply.hijack();
    const size = asked.format === "json" ? { "Content-Length": String(selected.jsonBytes) } : {};
    const headers = { ...reply.getHeaders(), ...head, ETag: `"${head.ETag}"`, ...size, "X-Rows": String(to - from) };
    for (const [name, value] of Object.entries(headers)) if (value !== undefined) res.setHeader(name, value); // what the worker has set stays
  };
  if (request.raw.method === "HEAD") {
    if (res.destroyed || res.headersSent) return;
    begin();
    res.end();
    return;
  }
  const job: Job = { table: view.info.name, format: asked.format, mark: asked.mark, asOf: view.head.asOf, order, from, to };
  await exports.send(view, job, res, begin);
}

type Head = Readonly<Record<string, string>> & { readonly ETag: string };

/** @returns the headers of the file; the tag without its quotes, made from everything the bytes are made from. */
function headOf({ view, audience, asked, query }: Order, services: AppServices): Head {
  const { info, head, source } = view;
  const { format, mark } = asked;
  const made = [FORMAT, info.name, head.hash, head.asOf, format, mark, query.selection, query.limit, query.cursor ?? null];
  const day = new Date(head.asOf).toISOString().slice(0, 10);
  return {
    "Content-Type": FORMATS[format].type,
    "Content-Disposition": attachment(`${info.name}-${day}.${format}`),
    ...caching(view, audience),
    ETag: `${head.hash}-${digest(JSON.stringify(made), 9)}`,
    Age: String(Math.max(0, Math.floor((services.clock.wall() - source.checkedAt) / 1_000))),
    "X-Cache": cacheOf(view, services.clock),
  };
}

const OF_NOT_MODIFIED = ["Age", "Cache-Control", "CDN-Cache-Control", "Vary", "X-Cache"] as const;

function notModified(reply: FastifyReply, head: Head): FastifyReply {
  const kept = OF_NOT_MODIFIED.flatMap((name) => (head[name] === undefined ? [] : [[name, head[name]] as const]));
  return reply
    .code(304)
    .headers({ ETag: `"${head.ETag}"`, ...Object.fromEntries(kept) })
    .send();
}

/** Why a workbook can't hold that. */
function unfit({ snapshot }: TableView, { format }: Asked, { from, to }: Selected): Problem | undefined {
  const columns = snapshot.columns.length;
  if (format !== "xlsx" || (columns <= MOST_COLUMNS && to - from < MOST_ROWS)) return undefined;
  const detail = `is xlsx, and these are ${to - from} rows of ${columns} columns: a workbook takes ${MOST_ROWS - 1} rows and ${MOST_COLUMNS} columns; csv and json have no such bounds`;
  return badParameter({ parameter: "format", detail });
}

/** At different times, so that those who are refused together do not return together. */
function full(): Problem {
  const headers = { ...retryAfter(ms(RETRY * (1 + Math.random()))), "X-Drover-Refused": "exports" };
  return problem(503, "busy", `this worker makes ${MOST_EXPORTS} exports already`, { headers });
}

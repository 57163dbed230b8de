/**
 * Answers as the worker keeps them: a fixed head and the body's bytes, given to it once, so that the next client with the
 * same target is answered without routing, querying or serialising.
 */
import type { FastifyReply, FastifyRequest } from "fastify";
import type { Clock } from "../base/clock.ts";
import type { TableView } from "../sheets/client.ts";
import { rowBody, rowTag } from "../sheets/snapshot.ts";
import type { PreparedAnswer, PreparedAnswers } from "../worker/app.ts";
import { COMMON, JSON_TYPE, publicCaching } from "./headers.ts";
import { digest } from "./query/canonical.ts";
import type { Query } from "./query/model.ts";
import type { Page } from "./query/page.ts";

/** Longer targets and larger bodies are answered but not kept: a client could fill the store with them. */
export const MAX_TARGET = 2_048;
export const MAX_BODY = 1_048_576;
/** Changes whenever the same rows and query give other bytes: it is part of the ETag. */
const FORMAT = 1;

/** A list's body and tag. The tag covers everything the bytes are made from, so it is the same in every worker. */
export function listAnswer(view: TableView, query: Query, page: Page): PreparedAnswer {
  const { hash, asOf } = view.head;
  const body = Buffer.concat([
    Buffer.from(`{"table":${JSON.stringify(view.info.name)},"rows":[`),
    page.rows,
    Buffer.from(`],"total":${page.total},"next":${JSON.stringify(page.next)},"asOf":"${new Date(asOf).toISOString()}"}`),
  ]);
  const made = [FORMAT, view.info.name, hash, asOf, query.selection, query.limit, query.cursor ?? null];
  return answer(view, body, `${hash}-${digest(JSON.stringify(made), 9)}`);
}

/** A single row; its tag is its own bytes', so that it outlives changes of other rows. */
export function rowAnswer(view: TableView, row: number): PreparedAnswer {
  const body = rowBody(view.info.name, view.snapshot.rowSlice(row, row + 1));
  return answer(view, body, rowTag(body));
}

function answer(view: TableView, identity: Buffer, etag: string): PreparedAnswer {
  return { source: view.source, version: view.version, head: headOf(view), etag, bodies: { identity } };
}

/** What is wrong with the rows in the sheet is counted; where is the operator's. */
function headOf(view: TableView): readonly string[] {
  const ttl = Math.max(1, Math.floor((view.head.ttl ?? view.info.ttl) / 1_000));
  const { warnings = 0 } = view.head;
  return [
    "Content-Type",
    JSON_TYPE,
    ...Object.entries(publicCaching(ttl)).flat(),
    "Vary",
    "Accept-Encoding",
    ...(warnings === 0 ? [] : ["X-Table-Warnings", String(warnings)]),
    ...Object.entries(COMMON).flat(),
  ];
}

/** Sends an answer and leaves it with the worker for the next request of the same target. */
export function give(request: FastifyRequest, reply: FastifyReply, view: TableView, made: PreparedAnswer, services: GiveServices): void {
  const target = request.raw.url ?? "";
  if (target.length <= MAX_TARGET && made.bodies.identity.length <= MAX_BODY) services.prepared.put(target, made);
  reply.hijack();
  if (reply.raw.destroyed || reply.raw.headersSent) return; // the client is gone, or the request timeout has answered
  const stale = view.failure !== undefined || services.clock.now() >= view.source.freshUntil;
  services.prepared.send(request.raw, reply.raw, made, stale ? "STALE" : "MISS");
}

export interface GiveServices {
  readonly prepared: PreparedAnswers;
  readonly clock: Clock;
}

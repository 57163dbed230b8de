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
import { isOneUsers } from "./visibility.ts";
import type { Query } from "./query/model.ts";
import type { Page } from "./query/page.ts";

/** Longer targets and larger bodies are answered but not kept: a client could fill the store with them. */
export const MAX_TARGET = 2_048;
export const MAX_BODY = 1_048_576;
/** Changes whenever the same rows and query give other bytes: it is part of the ETag. */
const FORMAT = 1;

/** Of rows that only one user gets: larger answers are not kept, or a room of users would push everybody's out. */
const MAX_OWN_BODY = 65_536;

/** A list's body and tag. The tag covers everything the bytes are made from, so it is the same in every worker. */
export function listAnswer(view: TableView, query: Query, page: Page, audience?: string): PreparedAnswer {
  const { hash, asOf } = view.head;
  const body = Buffer.concat([
    Buffer.from(`{"table":${JSON.stringify(view.info.name)},"rows":[`),
    page.rows,
    Buffer.from(`],"total":${page.total},"next":${JSON.stringify(page.next)},"asOf":"${new Date(asOf).toISOString()}"}`),
  ]);
  const made = [
    FORMAT,
    view.info.name,
    hash,
    asOf,
    query.selection,
    query.limit,
    query.cursor ?? null,
    ...(query.skip ? [query.skip] : []),
  ];
  return answer(view, body, `${hash}-${digest(JSON.stringify(made), 9)}`, audience);
}

/** A single row; its tag is its own bytes', so that it outlives changes of other rows. */
export function rowAnswer(view: TableView, row: number, audience?: string): PreparedAnswer {
  const body = rowBody(view.info.name, view.snapshot.rowSlice(row, row + 1));
  return answer(view, body, rowTag(body), audience);
}

function answer(view: TableView, identity: Buffer, etag: string, audience: string | undefined): PreparedAnswer {
  return { source: view.source, version: view.version, head: headOf(view, audience), etag, bodies: { identity } };
}

type Caching = Readonly<Record<"Cache-Control" | "Vary", string> & { readonly "CDN-Cache-Control"?: string }>;

/**
 * What may be kept where: everybody's rows by everybody. A browser may keep what every member gets, if it asks each time whether it still
 * holds (and whether they still are one). One user's rows stay nowhere.
 * @param audience the only ones that the rows are for; undefined: everybody.
 */
export function caching({ head, info }: TableView, audience: string | undefined): Caching {
  if (audience !== undefined)
    return { "Cache-Control": isOneUsers(audience) ? "private, no-store" : "private, no-cache", Vary: "Accept-Encoding, Cookie" };
  const ttl = Math.max(1, Math.floor((head.ttl ?? info.ttl) / 1_000));
  return { ...publicCaching(ttl), Vary: "Accept-Encoding" };
}

/** X-Cache. STALE: older than their TTL, or the refresh failed. MISS: this request waited for Google. HIT: it did not. */
export function cacheOf(view: TableView, clock: Clock): "HIT" | "MISS" | "STALE" {
  if (view.failure !== undefined || clock.now() >= view.source.freshUntil) return "STALE";
  return view.waited === true ? "MISS" : "HIT";
}

/**
 * Counts what is wrong with the rows in the sheet, and names the columns that are hidden because of their names, as a
 * structured field (RFC 9651): `2; hidden="Code postal, Hash"`. Only the operator learns where the rest is.
 */
function warningsHeader({ warnings = 0, hidden = [] }: TableView["head"]): Readonly<Record<string, string>> {
  if (warnings === 0) return {};
  const names = hidden.map((name) => encodeURI(name.toWellFormed()).replaceAll("%20", " ").replaceAll("%22", '\\"')).join(", ");
  return { "X-Table-Warnings": `${warnings}${names === "" ? "" : `; hidden="${names}"`}` };
}

function headOf(view: TableView, audience: string | undefined): readonly string[] {
  return Object.entries({ "Content-Type": JSON_TYPE, ...caching(view, audience), ...warningsHeader(view.head), ...COMMON }).flat();
}

/** Sends an answer and leaves it with the worker for the next request of the same target. */
export function give(request: FastifyRequest, reply: FastifyReply, view: TableView, made: PreparedAnswer, services: GiveServices): void {
  const target = request.raw.url ?? "";
  const { audience } = services;
  const most = audience !== undefined && isOneUsers(audience) ? MAX_OWN_BODY : MAX_BODY;
  if (target.length <= MAX_TARGET && made.bodies.identity.length <= most) services.prepared.put(target, made, audience);
  reply.hijack();
  if (reply.raw.destroyed || reply.raw.headersSent) return; // the client is gone, or the request timeout has answered
  services.prepared.send(request.raw, reply.raw, made, cacheOf(view, services.clock));
}

export interface GiveServices {
  readonly prepared: PreparedAnswers;
  readonly clock: Clock;
  /** The only ones that it is for; undefined: everybody. */
  readonly audience: string | undefined;
}

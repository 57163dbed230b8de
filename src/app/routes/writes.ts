/**
 * `POST /api/tables/:table`, `PATCH` and `DELETE /api/tables/:table/:key`, `GET /api/writes/:id`.
 *
 *   audience → limits → parameters and headers → body, strictly → the broker: columns, keys, If-Match → journal → answer
 *
 * Bodies are JSON by name alone: what a form of another site can send is 415, and there is no CORS; with a cookie the origin is looked at
 * too. So no page of another origin can write in its reader's name.
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { TableInfo } from "../../sheets/types.ts";
import { UnavailableError } from "../../sheets/unavailable.ts";
import type { Change, Write, WriteAnswer, WriteRequest } from "../../sheets/writes.ts";
import { knownTables } from "../listing.ts";
import { applied, type Who as Counted } from "../limits/limiter.ts";
import { badParameter, problem, retryAfter, sendProblem, type Problem } from "../problem.ts";
import { digest } from "../query/canonical.ts";
import { quoted } from "../query/model.ts";
import { splitPairs } from "../query/parse.ts";
import { rawQuery } from "../query/raw.ts";
import type { AppServices } from "../services.ts";
import { askerOf } from "../session/asker.ts";
import { owns } from "../session/own.ts";
import type { Who } from "../session/who.ts";
import { isPersonal, may, ownerFor, refusal, unknownTable, type Right, type TablePath } from "../visibility.ts";
import { rowOf, writeOwn } from "../write/own.ts";
import { CHANGED, problemOfRefusal, sendWrites, sendWritten, shown, type Asked } from "../write/answers.ts";
import { readIfMatch, readOnce, readWait, unkept, unreadable, type Condition } from "../write/conditions.ts";
import { MAX_WRITE_BODY, readRows } from "../write/json.ts";
import { replayed } from "../write/replay.ts";

type WriteRoute = { Params: { table: string; key?: string }; Body: Buffer | undefined };
type Writing = FastifyRequest<WriteRoute>;

/** One of the three ways to change a table. */
interface Deed {
  readonly op: Write["op"];
  readonly right: Right;
  readonly path: TablePath;
}
const APPEND: Deed = { op: "append", right: "append", path: "rows" };
const UPDATE: Deed = { op: "update", right: "update", path: "row" };
const DELETE: Deed = { op: "delete", right: "update", path: "row" };

/** What a request asks for once its head and its body are understood. */
interface Wish extends Asked {
  readonly changes: readonly Change[];
  readonly condition: Condition;
  readonly once: WriteRequest["once"];
  readonly who: Who;
}

/** A table, and who wants to change it. */
interface Opened {
  readonly info: TableInfo;
  readonly who: Who;
}

/** Registered apart: their bodies are read as bytes and as nothing but JSON. */
export async function writeRoutes(fastify: FastifyInstance, services: AppServices): Promise<void> {
  fastify.removeAllContentTypeParsers();
  fastify.addContentTypeParser(
    /^application\/json\s*(?:;\s*charset\s*=\s*"?utf-8"?\s*)?$/i,
    { parseAs: "buffer" },
    (_request, body, done) => done(null, body),
  );
  const warned = new Set<string>();
  const { limiter } = services;
  /** Requests that were counted. */
  const writers = new WeakMap<FastifyRequest, { readonly who: Counted; readonly rows: number }>();
  const counted = async (request: Writing, reply: FastifyReply): Promise<Problem | undefined> => {
    const who = await limiter.who(request.raw);
    const over = applied(await limiter.write(who), reply);
    if (over === undefined) writers.set(request, { who, rows: 1 });
    return over;
  };
  const weighed = async (request: Writing, reply: FastifyReply, rows: number): Promise<Problem | undefined> => {
    const who = writers.get(request)?.who ?? (await limiter.who(request.raw));
    const over = applied(await limiter.size(who, { rows, bytes: request.body?.length ?? 0 }), reply);
    if (over === undefined) writers.set(request, { who, rows });
    return over;
  };
  /** Requests with an Idempotency-Key that are over a limit. */
  const overLimit = new WeakMap<FastifyRequest, Problem>();
  const takeBack = (request: Writing): void => {
    const counted = writers.get(request);
    if (counted !== undefined) limiter.unwritten(counted.who, counted.rows);
  };
  const serve = (deed: Deed) => ({
    bodyLimit: MAX_WRITE_BODY,
    // Before the body is read: strangers who may not write have nothing to say.
    onRequest: async (request: Writing, reply: FastifyReply): Promise<FastifyReply | undefined> => {
      const open = await openFor(request, reply, deed, services);
      const refused = "status" in open ? open : unreadable(request.headers);
      if (refused !== undefined) return sendProblem(request, reply, refused);
      const over = await counted(request, reply);
      if (over === undefined) return undefined;
      if (request.headers["idempotency-key"] === undefined) return sendProblem(request, reply, over);
      overLimit.set(request, over); // its answer may be known: the body tells
      return undefined;
    },
    onResponse: async (request: Writing, { statusCode }: FastifyReply): Promise<void> => {
      if (statusCode >= 400) takeBack(request);
    },
    handler: async (request: Writing, reply: FastifyReply): Promise<FastifyReply> => {
      const wish = await understand(request, reply, deed, services);
      if ("status" in wish) return sendProblem(request, reply, wish);
      const over = overLimit.get(request) ?? (await weighed(request, reply, wish.changes.length));
      if (over !== undefined) {
        const { info, changes, once, wait } = wish;
        const known = once && (await replayed({ request: { table: info.name, changes, once }, wait, raw: request.raw }, services));
        if (known !== undefined) takeBack(request);
        return known === undefined ? sendProblem(request, reply, over) : sendWritten(reply, known, wish);
      }
      if (wish.wait === "sheet") services.live.streams.waits(reply.raw);
      const answer = await write(request, wish, services);
      if (answer.is === "written") {
        if (answer.repeated) takeBack(request);
        return sendWritten(reply, answer, wish);
      }
      if (answer.refusal.reason === "not-writable") warnOnce(wish.info.name, answer.refusal.message, warned, services);
      return sendProblem(request, reply, problemOfRefusal(answer.refusal, wish, request));
    },
  });
  fastify.post<WriteRoute>("/api/tables/:table", serve(APPEND));
  fastify.patch<WriteRoute>("/api/tables/:table/:key", serve(UPDATE));
  fastify.delete<WriteRoute>("/api/tables/:table/:key", serve(DELETE));
  fastify.get<{ Params: { id: string } }>("/api/writes/:id", (request, reply) => state(request, reply, services));
}

/** The table, if whoever asks may do that with it. */
async function openFor(request: Writing, reply: FastifyReply, { right, path }: Deed, services: AppServices): Promise<Opened | Problem> {
  const { params, raw } = request;
  const listed = await knownTables(services.tables, raw.signal);
  if ("status" in listed) return listed;
  const info = listed.find(({ name }) => name === params.table);
  if (info === undefined) return unknownTable(params.table);
  const who = await askerOf(request, reply, isPersonal(info, right), services);
  return "status" in who ? who : (refusal(info, right, path, who) ?? { info, who });
}

async function understand(request: Writing, reply: FastifyReply, deed: Deed, services: AppServices): Promise<Wish | Problem> {
  const { headers } = request;
  const wait = readWait(rawQuery(request));
  if (typeof wait !== "string") return wait;
  const condition = unkept(headers, deed !== APPEND) ?? readIfMatch(headers["if-match"]);
  if ("status" in condition) return condition;
  const key = readOnce(headers["idempotency-key"]);
  if (typeof key === "object") return key;
  const changes = changesOf(request, deed);
  if ("status" in changes) return changes;
  const opened = await openFor(request, reply, deed, services); // the tables may be others by now
  if ("status" in opened) return opened;
  const { info, who } = opened;
  const once = key === undefined ? undefined : { key: nameOf(key, who), digest: digestOf(request, deed) };
  const owner = ownerFor(info, deed.right, who);
  const readable = may(info, "read", who) && (owner !== undefined || ownerFor(info, "read", who) === undefined);
  const forced = owner === undefined ? changes.changes : changes.changes.map((change) => forcedTo(owner, change, info));
  return { info, who, readable, op: deed.op, wait, condition, once, many: changes.many, changes: forced };
}

/** One user's name for a request is not another's. */
const nameOf = (key: string, who: Who): string => (who.is === "stranger" ? key : `u-${digest(JSON.stringify([who.user, key]), 24)}`);

/** Whatever a client says: what it adds is its user's, and what is its user's stays so. */
function forcedTo(user: string, change: Change, { owner }: TableInfo): Change {
  if (change.op === "delete" || owner === undefined) return change;
  const names = change.op === "append" || Object.hasOwn(change.values, owner);
  return names ? { ...change, values: { ...change.values, [owner]: user } } : change;
}

function changesOf({ body, params: { key = "" } }: Writing, deed: Deed): Problem | Pick<Wish, "changes" | "many"> {
  if (deed === DELETE) {
    if (body !== undefined && body.length > 0) return problem(400, "body", "DELETE takes no body: the path names the row");
    return { changes: [{ op: "delete", key }], many: false };
  }
  const read = readRows(body);
  if (read.is === "bad") return read.problem;
  const { rows, many } = read;
  if (deed === APPEND) return { changes: rows.map((values) => ({ op: "append", values })), many };
  const [values] = rows;
  if (many || values === undefined) return problem(422, "invalid", "one row is changed: expected one object of the columns to change");
  return { changes: [{ op: "update", key, values }], many: false };
}

/** What must be the same when an Idempotency-Key comes again: method, table, key and the body's bytes. */
function digestOf({ params: { table, key }, body }: Writing, { op }: Deed): string {
  return digest(JSON.stringify([op, table, key ?? null, digest(body ?? "", 32)]), 32);
}

/**
 * Asks the broker, for a list of tags with one after the other until one is the row's. Who may not read rows has seen
 * no tag of them: none is compared, so that nobody finds out what a row holds by trying.
 */
async function write(request: Writing, wish: Wish, services: AppServices): Promise<WriteAnswer> {
  const { raw, params } = request;
  const { info, changes, condition, once, wait, readable, who, op } = wish;
  const { tables } = services;
  const asked = { table: params.table, ...(once === undefined ? {} : { once }) };
  const owner = op === "append" ? undefined : ownerFor(info, "update", who);
  const [change] = changes;
  if (owner !== undefined && change !== undefined && change.op !== "append")
    return await writeOwn({ asked, change, condition, owner, wait }, services, raw.signal);
  if (condition.is === "any") return await tables.write({ ...asked, changes }, wait, raw.signal);
  const conflict = { is: "refused", refusal: { reason: "conflict", message: CHANGED.detail } } as const satisfies WriteAnswer;
  for (const ifMatch of readable ? condition.tags : []) {
    const conditional = changes.map((change) => (change.op === "append" ? change : { ...change, ifMatch }));
    const answer = await tables.write({ ...asked, changes: conditional }, wait, raw.signal);
    if (answer.is === "written" || answer.refusal.reason !== "conflict") return answer;
  }
  return conflict;
}

/** Why a table can't be written names ranges and tabs: for the log, once, and not for strangers. */
function warnOnce(table: string, message: string, warned: Set<string>, { log }: AppServices): void {
  if (warned.has(table)) return;
  warned.add(table);
  log.warn({ table }, `a table that strangers may write to can't be written: ${message}`);
}

/** What became of a write. Its id is known to who made it; others' guesses find what they may read anyway. */
async function state(
  request: FastifyRequest<{ Params: { id: string } }>,
  reply: FastifyReply,
  services: AppServices,
): Promise<FastifyReply> {
  const pairs = splitPairs(rawQuery(request));
  if (!pairs.ok) return sendProblem(request, reply, badParameter(pairs.bad));
  const [surplus] = pairs.value.keys();
  if (surplus !== undefined)
    return sendProblem(request, reply, badParameter({ parameter: surplus, detail: "is unknown: a write takes no parameters" }));
  const found = await find(request, reply, services);
  if ("status" in found) return sendProblem(request, reply, found);
  return sendWrites(reply, found.write.state, { write: shown(found.write, found.readable) });
}

interface Found {
  readonly write: Write;
  readonly readable: boolean;
}

async function find(
  request: FastifyRequest<{ Params: { id: string } }>,
  reply: FastifyReply,
  services: AppServices,
): Promise<Found | Problem> {
  const { id } = request.params;
  const { signal } = request.raw;
  const { tables } = services;
  const unknown = problem(404, "unknown-write", `there is no write ${quoted(id)}, or it reached the spreadsheet over a day ago`);
  if (!/^[0-9A-HJKMNP-TV-Z]{26}$/.test(id)) return unknown;
  const listed = await knownTables(tables, signal);
  if ("status" in listed) return listed;
  try {
    const write = await tables.findWrite(id);
    const info = listed.find(({ name }) => name === write?.table);
    if (write === undefined || info === undefined) return unknown;
    const right = write.op === "append" ? "append" : "update";
    const who = await askerOf(request, reply, isPersonal(info, "read") || isPersonal(info, right), services);
    if ("status" in who) return who;
    const owner = ownerFor(info, "read", who);
    if (owner === undefined) {
      const readable = may(info, "read", who);
      return readable || may(info, right, who) ? { write, readable } : unknown;
    }
    const row = await rowOf(await tables.table(info.name, signal), write.key, services.threads, signal);
    const readable = owns(row?.row, info, owner);
    // Of a row that is not there only who knows the id can have made the write.
    return readable || (row === undefined && may(info, right, who)) ? { write, readable } : unknown;
  } catch (thrown) {
    if (!(thrown instanceof UnavailableError)) throw thrown;
    const { reason, retryAfter: wait } = thrown.why;
    return problem(503, reason, `what became of the write ${id} can't be told now: come back after the time in Retry-After`, {
      headers: retryAfter(wait),
    });
  }
}

/**
 * `POST /api/tables/:table`, `PATCH` and `DELETE /api/tables/:table/:key`.
 *
 *   audience → limits → parameters and headers → body, strictly → the broker: columns, keys, If-Match → journal → answer
 *
 * Bodies are JSON by name alone, or a form of which the browser says that it stands on a page of this site: what another site can send is
 * 415, and there is no CORS; with a cookie the origin is looked at too. So no page of another origin can write in its reader's name.
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { TableInfo } from "../../sheets/types.ts";
import type { Change, Write, WriteAnswer, WriteRequest } from "../../sheets/writes.ts";
import { columnsOf } from "../described.ts";
import { knownTables } from "../listing.ts";
import { applied, type Who as Counted } from "../limits/limiter.ts";
import { NOT_JSON } from "../errors.ts";
import { problem, sendProblem, type Problem } from "../problem.ts";
import { digest } from "../query/canonical.ts";
import { rawQuery } from "../query/raw.ts";
import type { AppServices } from "../services.ts";
import { askerOf } from "../session/asker.ts";
import type { Who } from "../session/who.ts";
import { isPersonal, may, ownerFor, refusal, unknownTable, type Right, type TablePath } from "../visibility.ts";
import { writeOwn } from "../write/own.ts";
import { isForm, isOwnForm, readForm } from "../write/form.ts";
import { CHANGED, problemOfRefusal, sendWritten, type Asked } from "../write/answers.ts";
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
  // Whether the form is one of this site's was asked before its body is read.
  fastify.addContentTypeParser("application/x-www-form-urlencoded", { parseAs: "buffer" }, (_request, body, done) => done(null, body));
  const warned = new Set<string>();
  const { limiter } = services;
  /** Requests that were counted. */
  const writers = new WeakMap<FastifyRequest, { readonly who: Counted; readonly rows: number }>();
  const counted = async (request: Writing, reply: FastifyReply): Promise<Problem | undefined> => {
    const who = await limiter.who(request.raw);
    const over = applied(await limiter.write(who, announced(request)), reply);
    if (over === undefined) writers.set(request, { who, rows: 1 });
    return over;
  };
  const weighed = async (request: Writing, reply: FastifyReply, rows: number): Promise<Problem | undefined> => {
    const who = writers.get(request)?.who ?? (await limiter.who(request.raw));
    const over = applied(await limiter.size(who, { rows, bytes: request.body?.length ?? 0 }, announced(request)), reply);
    if (over === undefined) writers.set(request, { who, rows });
    return over;
  };
  /** Requests with an Idempotency-Key that are over a limit, and whose first answer may be looked for. */
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
      const refused = "status" in open ? open : (unreadable(request.headers) ?? foreignForm(request, deed));
      if (refused !== undefined) return sendProblem(request, reply, refused);
      const over = await counted(request, reply);
      if (over === undefined) return undefined;
      if (request.headers["idempotency-key"] === undefined || !(await limiter.replay(request.raw)))
        return sendProblem(request, reply, over);
      overLimit.set(request, over); // its answer may be known: the body tells
      return undefined;
    },
    onResponse: async (request: Writing, { statusCode }: FastifyReply): Promise<void> => {
      if (statusCode >= 400) takeBack(request);
    },
    handler: async (request: Writing, reply: FastifyReply): Promise<FastifyReply> => {
      const wish = await understand(request, reply, deed, services);
      if ("status" in wish) return sendProblem(request, reply, wish);
      const head = overLimit.get(request);
      const over = head ?? (await weighed(request, reply, wish.changes.length));
      if (over !== undefined) {
        const { info, changes, once, wait } = wish;
        const { raw } = request;
        const looks = once !== undefined && (head !== undefined || (await limiter.replay(raw)));
        const known = looks ? await replayed({ request: { table: info.name, changes, once }, wait, raw }, services) : undefined;
        if (known !== undefined) takeBack(request);
        return known === undefined ? sendProblem(request, reply, over) : sendWritten(reply, known, wish);
      }
      if (wish.wait === "sheet") services.live.streams.waits(reply.raw);
      const answer = await write(request, wish, services);
      if (answer.is === "written") {
        if (answer.repeated) takeBack(request);
        const [written] = answer.writes;
        if (isForm(request.raw) && written !== undefined) return reply.redirect(`/api/writes/${written.id}`, 303);
        return sendWritten(reply, answer, wish);
      }
      if (answer.refusal.unsure === true) writers.delete(request); // it may have been written: it counts
      if (answer.refusal.reason === "not-writable") warnOnce(wish.info.name, answer.refusal.message, warned, services);
      return sendProblem(request, reply, problemOfRefusal(answer.refusal, wish, request));
    },
  });
  fastify.post<WriteRoute>("/api/tables/:table", serve(APPEND));
  fastify.patch<WriteRoute>("/api/tables/:table/:key", serve(UPDATE));
  fastify.delete<WriteRoute>("/api/tables/:table/:key", serve(DELETE));
}

/** Bytes of the body, as far as the head announces them. One that is too large is refused, whatever the limits say: it counts once. */
function announced({ headers }: Writing): number {
  const length = Number(headers["content-length"] ?? 0);
  return length > MAX_WRITE_BODY ? 0 : length;
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
  const changes = isForm(request.raw) ? await rowOfForm(request, services) : changesOf(request, deed);
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

/** Forms add rows, and are taken from pages of this site alone. */
const foreignForm = ({ raw }: Writing, deed: Deed): Problem | undefined =>
  isForm(raw) && (deed !== APPEND || !isOwnForm(raw)) ? NOT_JSON : undefined;

async function rowOfForm({ body, params, raw }: Writing, services: AppServices): Promise<Problem | Pick<Wish, "changes" | "many">> {
  const read = readForm(body, await columnsOf(params.table, raw.signal, services));
  return "status" in read ? read : { changes: [{ op: "append", values: read.values }], many: false };
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

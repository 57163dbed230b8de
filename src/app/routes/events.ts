/** `GET /api/events`: what becomes of rows, as it is noticed, as an event stream. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { ms } from "../../base/units.ts";
import { readId } from "../../sheets/events.ts";
import { COMMON } from "../headers.ts";
import { knownTables } from "../listing.ts";
import { Hub, type Wish } from "../live/hub.ts";
import { badParameter, problem, retryAfter, sendProblem, type Problem } from "../problem.ts";
import { MAX_QUERY, quoted } from "../query/model.ts";
import { splitPairs } from "../query/parse.ts";
import { rawQuery } from "../query/raw.ts";
import type { AppServices } from "../services.ts";
import { STRANGER, type Identity, type Who } from "../session/who.ts";
import { isPersonal, refusal, unknownTable } from "../visibility.ts";

/** Says to proxies as well that nothing of it may be kept or held back (X-Accel-Buffering is nginx's word). */
const HEAD = { ...COMMON, "Content-Type": "text/event-stream", "Cache-Control": "no-store", "X-Accel-Buffering": "no" } as const;

interface Asked {
  /** undefined: all that whoever asks may read. */
  readonly tables: readonly string[] | undefined;
  readonly wish: Wish;
  readonly who: Who;
  /** Whose session the stream keeps in use; undefined: nobody's. */
  readonly identity: Identity | undefined;
}

export function eventRoute(fastify: FastifyInstance, services: AppServices): void {
  const { tables, clock, log, live } = services;
  const hub = new Hub({ tables, clock, log, most: live.mostStreams, reconnect: live.reconnect });
  fastify.addHook("onClose", () => Promise.resolve(hub.close()));
  fastify.get("/api/events", async (request, reply) => {
    const asked = await readAsked(request, reply, services);
    if ("status" in asked) return sendProblem(request, reply, asked);
    if (hub.full) return sendProblem(request, reply, full(services));
    reply.hijack();
    begin(request, reply, services, hub, asked);
    return reply;
  });
}

function begin(request: FastifyRequest, { raw: res }: FastifyReply, services: AppServices, hub: Hub, asked: Asked): void {
  const { live, sessions } = services;
  const { tables, wish, who, identity } = asked;
  if (res.destroyed || res.headersSent) return; // the client is gone, or the request timeout has answered
  res.writeHead(200, HEAD);
  if (request.raw.method === "HEAD") return void res.end();
  live.streams.opened(res);
  if (identity !== undefined)
    res.once(
      "close",
      sessions.hold(identity, () => res.end()),
    );
  const stands = (): boolean => identity === undefined || sessions.stands(identity);
  hub.open(res, { tables, who, stands }, wish);
}

async function readAsked(request: FastifyRequest, reply: FastifyReply, services: AppServices): Promise<Asked | Problem> {
  const raw = rawQuery(request);
  if (raw.length > MAX_QUERY) return problem(414, "uri-too-long", `the query is over ${MAX_QUERY} characters`);
  const pairs = splitPairs(raw);
  if (!pairs.ok) return badParameter(pairs.bad);
  for (const name of pairs.value.keys())
    if (name !== "tables" && name !== "last-event-id")
      return badParameter({ parameter: name, detail: "is unknown: the event stream takes tables and last-event-id" });
  const listed = await knownTables(services.tables, request.raw.signal);
  if ("status" in listed) return listed;
  const tables = pairs.value.get("tables")?.split(",");
  const personal = tables === undefined || listed.some((info) => isPersonal(info, "read") && tables.includes(info.name));
  const standing = await services.sessions.look(request.raw);
  // Pages can't read why a stream is refused: the cookie stays, so that what they ask next is told.
  if (personal && standing.is === "out") return standing.problem;
  const identity = standing.is === "in" ? standing : undefined;
  if (identity !== undefined) await services.sessions.who(request.raw, reply.raw); // lasts longer with each stream
  const who = personal ? (identity ?? STRANGER) : STRANGER; // of what is everybody's, members have the strangers' stream
  for (const name of tables ?? []) {
    if (name === "")
      return badParameter({
        parameter: "tables",
        detail: `is ${quoted(pairs.value.get("tables") ?? "")}: expected names separated by commas`,
      });
    const info = listed.find((known) => known.name === name);
    const refused = info === undefined ? unknownTable(name) : refusal(info, "read", "rows", who);
    if (refused !== undefined) return refused;
  }
  // A browser that comes back says in the header where it was; its address is still the one it began with.
  return {
    tables,
    who,
    identity,
    wish: wishOf([request.headers["last-event-id"]].flat().join() || (pairs.value.get("last-event-id") ?? "")),
  };
}

function wishOf(id: string): Wish {
  if (id === "") return { is: "now" };
  const place = readId(id);
  return place === undefined ? { is: "unreadable" } : { is: "after", place };
}

/** At different times, so that those who are refused together do not return together. */
function full({ live }: AppServices): Problem {
  const headers = { ...retryAfter(ms(live.reconnect * (1 + Math.random()))), "X-Drover-Refused": "streams" };
  return problem(503, "busy", `this worker has its ${live.mostStreams} event streams already`, { headers });
}

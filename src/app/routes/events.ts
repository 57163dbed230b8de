/** `GET /api/events`: what becomes of rows, as it is noticed, as an event stream. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { ms } from "../../base/units.ts";
import { readId } from "../../sheets/events.ts";
import { COMMON } from "../headers.ts";
import type { Who as Counted } from "../limits/limiter.ts";
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
  /** Whose place it takes: the user's, or the address's where nobody is signed in. */
  readonly owner: Counted;
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
    const most = services.limiter.streams.exceeded(asked.owner);
    if (most !== undefined) return sendProblem(request, reply, tooMany(services, most));
    reply.hijack();
    begin(request, reply, services, hub, asked);
    return reply;
  });
}

function begin(request: FastifyRequest, { raw: res }: FastifyReply, services: AppServices, hub: Hub, asked: Asked): void {
  const { live, sessions, limiter } = services;
  const { tables, wish, who, identity, owner } = asked;
  if (res.destroyed || res.headersSent) return; // the client is gone, or the request timeout has answered
  res.writeHead(200, HEAD);
  if (request.raw.method === "HEAD") return void res.end();
  live.streams.opened(res);
  res.once("close", limiter.streams.enter(owner));
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
    owner:
      identity === undefined
        ? { user: undefined, address: services.limiter.address(request.raw) }
        : { user: identity.user, address: undefined },
    wish: wishOf([request.headers["last-event-id"]].flat().join() || (pairs.value.get("last-event-id") ?? "")),
  };
}

function wishOf(id: string): Wish {
  if (id === "") return { is: "now" };
  const place = readId(id);
  return place === undefined ? { is: "unreadable" } : { is: "after", place };
}

const full = (services: AppServices): Problem =>
  problem(503, "busy", `this worker has its ${services.live.mostStreams} event streams already`, { headers: refusedFor(services) });

const tooMany = (services: AppServices, most: number): Problem =>
  problem(429, "too-many-streams", `this client has its ${most} event streams in this worker already. Close one, then try again`, {
    headers: refusedFor(services),
  });

/** At different times, so that those who are refused together do not return together. */
const refusedFor = ({ live }: AppServices): Readonly<Record<string, string>> => ({
  ...retryAfter(ms(live.reconnect * (1 + Math.random()))),
  "X-Drover-Refused": "streams",
});

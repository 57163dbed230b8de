/** `GET /api/tables`: the tables that the caller may read, and what may be done with them. */
import type { FastifyInstance } from "fastify";
import type { TableInfo } from "../../sheets/types.ts";
import { describe, hasLogin } from "../described.ts";
import { JSON_TYPE } from "../headers.ts";
import { applied } from "../limits/limiter.ts";
import { knownTables } from "../listing.ts";
import { badParameter, sendProblem } from "../problem.ts";
import { splitPairs } from "../query/parse.ts";
import { rawQuery } from "../query/raw.ts";
import type { AppServices } from "../services.ts";
import { STRANGER, type Who } from "../session/who.ts";
import { may, RIGHTS, type Right } from "../visibility.ts";

/** Who has a right: anyone, the caller, or somebody who is logged in. */
type Holder = "everybody" | "you" | "login";

export function listingRoute(fastify: FastifyInstance, services: AppServices): void {
  const { limiter, sessions, tables } = services;
  fastify.get("/api/tables", async (request, reply) => {
    const { raw } = request;
    const over = applied(await limiter.read(raw), reply);
    if (over !== undefined) return sendProblem(request, reply, over);
    const pairs = splitPairs(rawQuery(request));
    if (!pairs.ok) return sendProblem(request, reply, badParameter(pairs.bad));
    const [surplus] = pairs.value.keys();
    if (surplus !== undefined)
      return sendProblem(request, reply, badParameter({ parameter: surplus, detail: "is unknown: the list takes no parameters" }));
    const listed = await knownTables(tables, raw.signal);
    if ("status" in listed) return sendProblem(request, reply, listed);
    // A session that is over is answered as none is: `session` says so, and `/api/me` why.
    const standing = await sessions.look(raw);
    const who = standing.is === "out" ? STRANGER : standing;
    const [rows, login] = await Promise.all([
      Promise.all(listed.filter((info) => may(info, "read", who)).map((info) => shown(info, who, raw.signal, services))),
      hasLogin(raw.signal, services),
    ]);
    const session = { stranger: "none", in: "in", out: "over" }[standing.is];
    return reply
      .header("Vary", "Cookie")
      .type(JSON_TYPE)
      .send(JSON.stringify({ tables: rows, login, session }));
  });
}

async function shown(info: TableInfo, who: Who, signal: AbortSignal, services: AppServices): Promise<object> {
  const { name, columns, key } = await describe(info, signal, services, who);
  const rights = RIGHTS.flatMap((right) => {
    const holder = holderOf(info, right, who);
    return holder === undefined ? [] : [[right, holder] as const];
  });
  return { name, key: key ?? null, keyNamed: info.key !== undefined, columns: columns ?? null, ...Object.fromEntries(rights) };
}

/** @returns undefined: neither the caller has it nor would a login help. */
function holderOf(info: TableInfo, right: Right, who: Who): Holder | undefined {
  if (info[right] === "public") return "everybody";
  if (may(info, right, who)) return "you";
  return info[right] !== "nobody" && who.is === "stranger" ? "login" : undefined;
}

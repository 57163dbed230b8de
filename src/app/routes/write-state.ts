/** `GET /api/writes/:id`: what became of a write. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { UnavailableError } from "../../sheets/unavailable.ts";
import type { Write } from "../../sheets/writes.ts";
import { knownTables } from "../listing.ts";
import { wantsPage } from "../page/answer.ts";
import { badParameter, problem, retryAfter, sendProblem, type Problem } from "../problem.ts";
import { quoted } from "../query/model.ts";
import { splitPairs } from "../query/parse.ts";
import { rawQuery } from "../query/raw.ts";
import type { AppServices } from "../services.ts";
import { askerOf } from "../session/asker.ts";
import { owns } from "../session/own.ts";
import { isPersonal, may, ownerFor } from "../visibility.ts";
import { sendWritePage, sendWrites, shown } from "../write/answers.ts";
import { rowOf } from "../write/own.ts";

export function writeStateRoute(fastify: FastifyInstance, services: AppServices): void {
  fastify.get<{ Params: { id: string } }>("/api/writes/:id", (request, reply) => state(request, reply, services));
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
  if (wantsPage(request.raw)) return sendWritePage(request, reply, found.write);
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

/** `POST /api/login`, `POST /api/logout`, `GET /api/me`. */
import { setTimeout as sleep } from "node:timers/promises";
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { messageOf } from "../../base/errors.ts";
import { ms, seconds } from "../../base/units.ts";
import type { Deed, Spent } from "../../sheets/ledger.ts";
import { MOST_SECRET } from "../../sheets/secrets.ts";
import { UnavailableError } from "../../sheets/unavailable.ts";
import { JSON_TYPE } from "../headers.ts";
import { badParameter, problem, sendProblem, type Problem } from "../problem.ts";
import { splitPairs } from "../query/parse.ts";
import { awayProblem } from "../refusals/admission.ts";
import { BAD_LOGIN, logoutPending, NOT_SIGNED_IN, tooManyLogins, tooManyTries } from "../refusals/login.ts";
import { requestIdOf } from "../requestid.ts";
import type { AppServices } from "../services.ts";
import { FailedLogins } from "../session/failed.ts";
import type { Begun } from "../session/sessions.ts";
import { tryLogin, type Try } from "../session/tries.ts";
import { claimOf, verifyCode, verifyPassword, type Verdict } from "../session/verify.ts";
import type { Identity } from "../session/who.ts";
import type { Directory } from "../session/accounts.ts";
import { unavailable } from "../unavailable.ts";

const MAX_BODY = 4_096;
const AWAY = awayProblem(seconds(2));
const LOGOUT_PENDING = logoutPending(seconds(2));
const PRIVATE = { "Cache-Control": "private, no-store", Vary: "Cookie" } as const;

type LoginRequest = FastifyRequest<{ Body: string | undefined }>;

/** What somebody shows. */
interface Credentials {
  readonly name: string;
  readonly secret: string;
  /** A browser's form: it is sent to a page, not to JSON. */
  readonly form: boolean;
}

/** Registered apart: its bodies are read as text. */
export async function loginRoutes(fastify: FastifyInstance, services: AppServices): Promise<void> {
  fastify.removeAllContentTypeParsers();
  for (const type of ["application/json", "application/x-www-form-urlencoded"])
    fastify.addContentTypeParser(type, { parseAs: "string" }, (_request, body, done) => done(null, body));
  const errorHandler = (error: FastifyError, request: FastifyRequest, reply: FastifyReply): FastifyReply => {
    const refused = BODIES[error.code];
    if (refused === undefined) throw error;
    return sendProblem(request, reply, refused);
  };
  const bounded = { bodyLimit: MAX_BODY, errorHandler };
  const failed = new FailedLogins(services.log, services.clock);
  fastify.post("/api/login", bounded, (request: LoginRequest, reply) => login(request, reply, services, failed));
  fastify.post("/api/logout", bounded, async (request, reply) => {
    if (await services.sessions.end(request.raw, reply.raw)) return reply.code(204).headers(PRIVATE).send();
    services.log.warn({ requestId: requestIdOf(request, reply) }, "a logout is not durable yet: the broker does not confirm it");
    return sendProblem(request, reply, LOGOUT_PENDING);
  });
  fastify.get("/api/me", async (request, reply) => {
    const standing = await services.sessions.who(request.raw, reply.raw);
    if (standing.is === "in") return send(reply, standing, services);
    return sendProblem(request, reply, standing.is === "out" ? standing.problem : NOT_SIGNED_IN);
  });
}

const BODIES: Readonly<Record<string, Problem>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: problem(413, "body-too-large", `the body is over ${MAX_BODY} bytes`),
  FST_ERR_CTP_INVALID_MEDIA_TYPE: problem(415, "media-type", "expected application/json or application/x-www-form-urlencoded", {
    headers: { Accept: "application/json, application/x-www-form-urlencoded" },
  }),
};

async function login(request: LoginRequest, reply: FastifyReply, services: AppServices, failed: FailedLogins): Promise<FastifyReply> {
  const shown = readCredentials(request);
  if ("status" in shown) return sendProblem(request, reply, shown);
  const directory = await accounts(request, services);
  if ("status" in directory) return sendProblem(request, reply, directory);
  const from = services.limiter.address(request.raw);
  const claim = claimOf(shown.name, directory, services.sessionKeys);
  const code = verifyCode(shown.secret, claim, services.sessionKeys); // not answered unless there is room for a try
  const act = (deeds: readonly Deed[]): Promise<Begun | Spent> =>
    code?.is === "right" ? services.sessions.begin(request.raw, reply.raw, code.account, deeds) : services.ledger.spend(deeds);
  const tried = await tryLogin(act, shown.name, from).catch((e: unknown) => {
    services.log.warn({ err: e }, `a login can't be counted: ${messageOf(e)}`);
    return undefined;
  });
  if (tried === undefined) return sendProblem(request, reply, AWAY);
  const logged = { client: services.clients.addressOf(request.raw), requestId: requestIdOf(request, reply) };
  if (tried.is === "over") {
    failed.note("too many tries", logged);
    return sendProblem(request, reply, tooManyTries(tried.retryAfter));
  }
  if (tried.done.is !== "ok") return answer(request, reply, tried.done, services, shown);
  const by = { threads: services.threads, turns: services.turns, ledger: services.ledger };
  const verify = code === undefined ? verifyPassword({ ...shown, from }, claim, by, request.raw.signal) : Promise.resolve(code);
  const verdict = await verify.catch((e: unknown) => {
    services.ledger.refund(tried.attempt.deeds); // nothing was found out: the thread is busy, or the client has gone
    throw e;
  });
  if (verdict.is === "wrong")
    failed.note(verdict.known ? "wrong secret" : "unknown name", verdict.known ? { ...logged, user: shown.name } : logged);
  if (verdict.is === "over") failed.note("too many tries", logged);
  if (verdict.is !== "right") return await refuse(request, reply, verdict, { tried: tried.attempt, services });
  // The refund goes second: the login does not wait for it.
  const begun = await services.sessions
    .begin(request.raw, reply.raw, verdict.account)
    .finally(() => services.ledger.refund(tried.attempt.deeds));
  return answer(request, reply, begun, services, shown);
}

function answer(request: FastifyRequest, reply: FastifyReply, begun: Begun, services: AppServices, { form }: Credentials): FastifyReply {
  if (begun.is !== "in") return sendProblem(request, reply, services.sessions.refusal(begun, request.raw));
  services.log.info({ user: begun.identity.user, requestId: requestIdOf(request, reply) }, "a user has logged in");
  return form ? reply.headers(PRIVATE).redirect("/", 303) : send(reply, begun.identity, services);
}

/** Who may log in, or why nobody can. */
async function accounts({ raw }: FastifyRequest, { accounts: known }: AppServices): Promise<Directory | Problem> {
  try {
    return await known.load(raw.signal, "urgent");
  } catch (thrown) {
    if (!(thrown instanceof UnavailableError)) throw thrown;
    return thrown.why.reason === "unknown"
      ? problem(404, "no-login", "nobody can log in here: the tables file names no users")
      : unavailable(thrown.why);
  }
}

/** A wrong secret: the same answer, after the same time, whether there is such a name or not. */
async function refuse(
  request: FastifyRequest,
  reply: FastifyReply,
  verdict: Exclude<Verdict, { is: "right" }>,
  { tried, services }: { readonly tried: Try; readonly services: AppServices },
): Promise<FastifyReply> {
  if (verdict.is !== "wrong") services.ledger.refund(tried.deeds);
  if (verdict.is === "busy") return sendProblem(request, reply, tooManyLogins(verdict.retryAfter));
  if (verdict.is === "over") return sendProblem(request, reply, tooManyTries(verdict.retryAfter));
  if (verdict.is === "unknown-key") return sendProblem(request, reply, AWAY);
  await sleep(tried.delay, undefined, { signal: request.raw.signal });
  return sendProblem(request, reply, tried.over === undefined ? BAD_LOGIN : tooManyTries(tried.over));
}

function readCredentials({ headers, body = "" }: LoginRequest): Credentials | Problem {
  const form = /^application\/x-www-form-urlencoded\b/i.test(headers["content-type"] ?? "");
  const read = form ? readForm(body) : readJson(body);
  if (!read.ok) return read.problem;
  const { fields } = read;
  for (const field of ["name", "secret"]) {
    const value = fields[field];
    const right = typeof value === "string" && value.trim() !== "" && value.length <= MOST_SECRET && value.isWellFormed();
    if (!right)
      return problem(422, "invalid", `“${field}” is not what was expected: a text of 1 to ${MOST_SECRET} characters`, { parameter: field });
  }
  if (Object.keys(fields).length > 2) return problem(422, "invalid", "a login has “name” and “secret” and nothing else");
  return { name: fields["name"] as string, secret: fields["secret"] as string, form };
}

/** The client names the fields: a problem can't be told from them by a name of its own. */
type Parsed = { readonly ok: true; readonly fields: Readonly<Record<string, unknown>> } | { readonly ok: false; readonly problem: Problem };

function readForm(body: string): Parsed {
  const pairs = splitPairs(body);
  return pairs.ok ? { ok: true, fields: Object.fromEntries(pairs.value) } : { ok: false, problem: badParameter(pairs.bad) };
}

function readJson(body: string): Parsed {
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch {
    return { ok: false, problem: problem(400, "not-json", "the body is no JSON") }; // what it is must not be repeated: it holds a secret
  }
  const isRecord = typeof value === "object" && value !== null && !Array.isArray(value);
  return isRecord
    ? { ok: true, fields: value as Record<string, unknown> }
    : { ok: false, problem: problem(422, "invalid", "expected an object of “name” and “secret”") };
}

function send(reply: FastifyReply, identity: Identity, { sessions, sessionIdle }: AppServices): FastifyReply {
  const { user, role, admin, session } = identity;
  const iso = (at: number): string => new Date(at).toISOString();
  const body = {
    name: user,
    role: role ?? null,
    admin,
    since: iso(session.since),
    until: iso(sessions.endOf(identity)),
    idle: ms(sessionIdle) / 1_000,
  };
  return reply.headers(PRIVATE).type(JSON_TYPE).send(JSON.stringify(body));
}

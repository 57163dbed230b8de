/**
 * The built-in application: the tables of a spreadsheet over HTTP, as a Fastify plugin like anybody's own. It takes what
 * it needs from its worker's runtime, and leaves every answer it makes with the worker, so that the next client with the
 * same question never gets here.
 *
 *   gate → prepared answer? ─ yes ─→ written as it is
 *                           └ no ──→ parse → visibility → table → bind → page → prepared
 *                           └ export → the same, then piece by piece from a thread
 *                           └ write → visibility → parse → broker: validate → journal
 */
import { readFile } from "node:fs/promises";
import type { FastifyError, FastifyInstance, FastifyServerOptions } from "fastify";
import plugin from "fastify-plugin";
import { systemClock } from "../base/clock.ts";
import { ownPath } from "../base/place.ts";
import { runtime, type Runtime } from "../base/runtime.ts";
import type { Tables } from "../sheets/client.ts";
import { deriveKey } from "../sheets/secrets.ts";
import { answerError, frameworkErrors } from "./errors.ts";
import { COMMON, UNCACHED } from "./headers.ts";
import { Limiter } from "./limits/limiter.ts";
import { refuseUnrouted } from "./methods.ts";
import { refuseForeign } from "./session/foreign.ts";
import { Accounts } from "./session/accounts.ts";
import { Sessions } from "./session/sessions.ts";
import { Turns } from "./session/turns.ts";
import { loginRoutes } from "./routes/login.ts";
import { adminRoutes } from "./routes/admin.ts";
import { eventRoute } from "./routes/events.ts";
import { exportRoute } from "./routes/exports.ts";
import { healthRoute } from "./routes/health.ts";
import { listingRoute } from "./routes/listing.ts";
import { openApiRoute } from "./routes/openapi.ts";
import { siteRoutes } from "./routes/site.ts";
import { nameRequest } from "./requestid.ts";
import { tableRoutes } from "./routes/tables.ts";
import { writeRoutes } from "./routes/writes.ts";
import { writeStateRoute } from "./routes/write-state.ts";
import type { AppServices } from "./services.ts";

/** Tells the worker which of the four forms this module has. */
export const form = "fastify";

/** What this application needs of the Fastify instance it is registered with, and can't set itself. */
export const options = {
  frameworkErrors,
  // Keys of rows stand in paths; a cell may hold 50,000 characters, a target at most what the header limit lets through.
  routerOptions: { maxParamLength: 8_192 },
} satisfies FastifyServerOptions;

async function application(fastify: FastifyInstance): Promise<void> {
  const worker = runtime();
  const tables = worker.service("tables");
  const services: AppServices = {
    ...sessionServices(worker, tables),
    tables,
    prepared: worker.service("prepared"),
    threads: worker.service("threads"),
    live: { ...worker.service("live"), streams: worker.service("streams") },
    clock: systemClock,
    log: worker.log,
    health: () => worker.health(),
  };
  fastify.addHook("onRequest", async (request, reply) => {
    nameRequest(request, reply);
    reply.headers(COMMON).headers(UNCACHED);
  });
  services.prepared.identify(services.sessions.reader);
  fastify.addHook("onClose", () => Promise.resolve(services.sessions.close()));
  const door = worker.service("site").admin;
  if (door !== undefined) adminRoutes(fastify, services, door);
  refuseForeign(fastify);
  refuseUnrouted(fastify, services.tables);
  fastify.setErrorHandler((error: FastifyError, request, reply) => answerError(error, request, reply, services.log));
  listingRoute(fastify, services);
  tableRoutes(fastify, services);
  exportRoute(fastify, services);
  await fastify.register((scope) => writeRoutes(scope, services));
  writeStateRoute(fastify, services);
  await fastify.register((scope) => loginRoutes(scope, services));
  eventRoute(fastify, services);
  openApiRoute(fastify, services, await packageVersion());
  healthRoute(fastify, services);
  await siteRoutes(fastify, worker.service("site").staticDir);
}

type SessionServices = "ledger" | "clients" | "sessions" | "sessionKeys" | "sessionIdle" | "accounts" | "turns" | "limiter";

/** Who asks, and how often they may. */
function sessionServices(worker: Runtime, tables: Tables): Pick<AppServices, SessionServices> {
  const { keys, idle, lifetime, noun } = worker.service("sessions");
  const [ledger, clients, sessionKeys, { log }] = [worker.service("ledger"), worker.service("clients"), keys.map(deriveKey), worker];
  const accounts = new Accounts(tables, systemClock, log);
  const sessions = new Sessions({ keys: sessionKeys, idle, lifetime, noun, ledger, clients, accounts, clock: systemClock, log });
  const limiter = new Limiter({ ledger, clients, userOf: sessions.userOf, rules: worker.service("limits"), log });
  return { ledger, clients, sessions, sessionKeys, sessionIdle: idle, accounts, turns: new Turns(() => systemClock.now()), limiter };
}

async function packageVersion(): Promise<string> {
  const { version } = JSON.parse(await readFile(ownPath("package.json"), "utf8")) as { version: string };
  return version;
}

export default plugin(application, { name: "drover" });

import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { pathToFileURL } from "node:url";
import type { FastifyBaseLogger, FastifyInstance, FastifyReply, FastifyRequest, LogController } from "fastify";
import { DroverError } from "../base/errors.ts";
import type { Logger } from "../base/log.ts";
import { impossible } from "../base/never.ts";
import type { Form, Listener } from "./app.ts";
import { answerHalfClosed } from "./closing.ts";
import type { WorkerConfig } from "./config.ts";
import type { Loaders } from "./deps.ts";
import { fetchListener } from "./fetch.ts";
import { applicationOf, type Application, type Plugin } from "./form.ts";
import type { Trust } from "./gate/address.ts";
import type { Boot } from "./boot.ts";
import { forgetExpectation } from "./interim.ts";
import { createLimitedServer } from "./limits.ts";
import { loadFailure } from "./loadfailure.ts";
import { interceptListen, listenHere, warnOnce, watchServers } from "./script.ts";

export interface LoadParts {
  readonly config: WorkerConfig;
  readonly log: Logger;
  readonly trust: Trust;
  /** Makes a server accept from the master's sockets; the built-in service's own front watches its requests. */
  readonly land: (server: Server, builtIn: boolean) => void;
  readonly loaders: Loaders;
  /** Puts the gate and the prepared answers before the built-in service. */
  front(application: Listener): Listener;
  readonly clientError: (error: Error, socket: Socket) => void;
  readonly boot: Boot;
}

/** An application that listens. */
export interface Loaded {
  readonly form: Form;
  readonly server: Server;
  /** The worker made the server, so the limits of the settings are its limits. */
  readonly own: boolean;
  /** Runs the application's own end (Fastify's onClose hooks), after its connections are gone. */
  close(): Promise<void>;
}

const nothingToClose = (): Promise<void> => Promise.resolve();

/**
 * Loads the application and makes it listen.
 * @returns when it listens. A script that never calls `listen` never returns: the boot timeout is the master's.
 * @throws DroverError DROVER_E_APP with the file and the stack.
 */
export async function loadApplication(parts: LoadParts): Promise<Loaded> {
  const { app: file } = parts.config;
  try {
    if (file !== null) return await loadForeign(file, parts);
    const application = applicationOf({ form: "fastify", ...(await parts.loaders.builtIn?.()) }, "the built-in service", false);
    return await start(application, parts, true);
  } catch (thrown) {
    throw loadFailure(thrown, file ?? "the built-in service");
  }
}

async function loadForeign(file: string, parts: LoadParts): Promise<Loaded> {
  const { boot, log } = parts;
  const warn = warnOnce(log);
  watchServers(warn);
  const script = Promise.withResolvers<Loaded>();
  let hasListened = false;
  let loaded = false;
  const listened = (server: Server): void => {
    hasListened = true;
    server.once("listening", () => script.resolve({ form: "script", server, own: false, close: nothingToClose }));
    parts.land(server, false);
  };
  process.argv[1] = file;
  const restore = interceptListen(listened, log, warn);
  const imported = import(pathToFileURL(file).href) as Promise<Record<string, unknown>>;
  // A script may listen and then go on loading (top-level await) for as long as it lives.
  imported.catch((thrown: unknown) => {
    if (loaded) throw thrown; // it served already: an unhandled rejection, and fatal as anywhere in Node
  });
  try {
    const first = await Promise.race([script.promise, imported.then((module) => applicationOf(module, file, hasListened))]);
    loaded = true;
    if ("server" in first) return first;
    if (first.form === "script") {
      if (!first.asked) boot.at("listen");
      return await script.promise;
    }
    restore();
    if (first.form === "fastify") boot.at("plugin");
    return await start(first, parts, false);
  } catch (thrown) {
    restore();
    throw thrown;
  }
}

async function start(application: Application, parts: LoadParts, builtIn: boolean): Promise<Loaded> {
  const { config, log } = parts;
  switch (application.form) {
    case "fastify":
      return await startFastify(application, parts, builtIn);
    case "listener":
      return await listening("listener", createLimitedServer(config, application.listener), parts);
    case "fetch":
      return await listening("fetch", createLimitedServer(config, fetchListener(application.app, log)), parts);
    case "script":
      throw new DroverError("DROVER_E_BUG", "a script is started by loading it");
    default:
      return impossible(application);
  }
}

async function listening(form: Form, server: Server, { land }: LoadParts): Promise<Loaded> {
  await new Promise<void>((resolve, reject) => {
    server.once("listening", resolve).once("error", reject);
    land(server, false);
  });
  return { form, server, own: true, close: nothingToClose };
}

async function startFastify(
  { plugin, options }: { readonly plugin: Plugin; readonly options: Readonly<Record<string, unknown>> },
  parts: LoadParts,
  builtIn: boolean,
): Promise<Loaded> {
  const fastify = await parts.loaders.fastify();
  let server: Server | undefined;
  const log: FastifyBaseLogger = parts.log;
  const instance = fastify({
    pluginTimeout: 0, // how long booting may take is the master's to judge
    trustProxy: (address: string) => parts.trust.trusts(address),
    clientErrorHandler: parts.clientError, // Fastify's own writes at once, before the answers to earlier requests; options may name another
    ...(builtIn ? { logger: false, schemaController: NO_SCHEMAS } : { loggerInstance: log }),
    ...(builtIn || "disableRequestLogging" in options ? {} : { logController: quiet(fastify.LogController) }),
    ...withoutLogger(options),
    serverFactory(handler) {
      const listener = builtIn ? parts.front(handler) : handler;
      server = createLimitedServer(parts.config, listener);
      const made = server;
      if (builtIn) {
        answerHalfClosed(made);
        made.on("checkContinue", (req: IncomingMessage, res: ServerResponse) => {
          forgetExpectation(req, res);
          listener(req, res);
        });
      }
      made.listen = (...args: unknown[]) => listenHere(made, args, (asked) => parts.land(asked, builtIn));
      return made;
    },
  });
  const listen = instance.listen.bind(instance);
  if (!builtIn) prepareForeign(instance, await parts.loaders.face?.(), parts.config.app ?? "");
  await instance.register(plugin as never);
  // Where it really listens is decided above.
  await listen({ host: "127.0.0.1", port: 0, listenTextResolver: () => "the Fastify plugin is ready" });
  if (server === undefined) throw new DroverError("DROVER_E_BUG", "Fastify made no server");
  return { form: "fastify", server, own: true, close: async () => await instance.close() };
}

const noSchemas = (): never => {
  throw new DroverError("DROVER_E_BUG", "a route of the built-in service declares a schema: no compiler is loaded for it");
};
/** The built-in service checks what it is sent by itself. Fastify would load two compilers for schemas at the start, a third of its text. */
const NO_SCHEMAS = { compilersFactory: { buildValidator: noSchemas, buildSerializer: noSchemas } };

/** Requests are the access log's (DROVER_ACCESS_LOG), and what clients get wrong is theirs to hear: what is left are errors. */
function quiet(Base: typeof LogController): LogController {
  class Quiet extends Base {
    override incomingRequest(): void {}
    override requestCompleted(): void {}
    override routeNotFound(): void {}
    override defaultErrorLog(error: Error, request: FastifyRequest, reply: FastifyReply): void {
      if (reply.statusCode >= 500) super.defaultErrorLog(error, request, reply);
    }
  }
  return new Quiet();
}

/** Which log there is, is drover's to say: Fastify takes one of the two options and refuses both. */
const withoutLogger = (options: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> =>
  Object.fromEntries(Object.entries(options).filter(([name]) => name !== "logger" && name !== "loggerInstance"));

/** A plugin that waited for its own instance to listen would wait for itself. */
function prepareForeign(instance: FastifyInstance, face: unknown, file: string): void {
  instance.decorate("drover", face as never);
  instance.listen = () => {
    throw new DroverError(
      "DROVER_E_APP",
      `${file} is a Fastify plugin and calls listen() on the instance it was given: leave that out, drover listens for it`,
    );
  };
}

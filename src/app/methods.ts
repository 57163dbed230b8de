/** What is said to a request that no route answers: unknown path, known path with another method, or OPTIONS. */
import type { FastifyInstance, FastifyReply, FastifyRequest, RouteOptions } from "fastify";
import type { Tables } from "../sheets/client.ts";
import { problem, sendProblem } from "./problem.ts";
import { quoted } from "./query/model.ts";
import { methodsOf } from "./visibility.ts";

/** The methods of each route as they are registered, so that Allow can't fall out of step. */
export class AllowedMethods {
  readonly #routes = new Map<string, { readonly path: RegExp; readonly methods: Set<string> }>();

  add({ url, method }: RouteOptions): void {
    const route = this.#routes.get(url) ?? { path: pattern(url), methods: new Set(["OPTIONS"]) };
    for (const one of [method].flat()) route.methods.add(one);
    this.#routes.set(url, route);
  }

  /** @returns the methods of this path, sorted, or undefined when there is no such path. */
  of(path: string): readonly string[] | undefined {
    const methods = new Set<string>();
    for (const route of this.#routes.values()) if (path === "*" || route.path.test(path)) for (const one of route.methods) methods.add(one);
    return methods.size === 0 ? undefined : [...methods].sort();
  }
}

/** `:name` stands for one segment, `*` for the rest. */
function pattern(url: string): RegExp {
  const source = url
    .replaceAll(/[.?+^$[\]\\(){}|]/g, "\\$&")
    .replaceAll("*", ".*")
    .replaceAll(/:[^/]+/g, "[^/]*");
  return new RegExp(`^${source}$`, "su");
}

/** @returns what this table lets anybody do, whatever others do; undefined for paths of no table. */
function methodsOfTable(path: string, tables: Tables): readonly string[] | undefined {
  const [, name, key] = /^\/api\/tables\/([^/]*)(\/[^/]*)?$/su.exec(path) ?? [];
  if (name === undefined) return undefined;
  const info = tables.list().find((table) => table.name === decoded(name));
  return methodsOf(info, key === undefined ? "rows" : "row");
}

function decoded(part: string): string | undefined {
  try {
    return decodeURIComponent(part);
  } catch {
    return undefined; // URIError: no table has such a name
  }
}

/**
 * Answers before a body is read: nothing here needs one. Installed as a hook, because Fastify parses the body of an
 * unknown route before its not-found handler.
 */
export function refuseUnrouted(fastify: FastifyInstance, tables: Tables): void {
  const allowed = new AllowedMethods();
  fastify.addHook("onRoute", (route) => allowed.add(route));
  const refuse = (request: FastifyRequest, reply: FastifyReply): FastifyReply => {
    const path = (request.raw.url ?? "").split("?", 1)[0] ?? "";
    const methods = methodsOfTable(path, tables) ?? allowed.of(path);
    const { method } = request.raw;
    if (methods === undefined) return sendProblem(request, reply, problem(404, "unknown-path", `nothing is at ${quoted(path)}`));
    const allow = { Allow: methods.join(", ") };
    if (method === "OPTIONS") return reply.code(204).headers(allow).send();
    if (method !== undefined && methods.includes(method))
      return sendProblem(request, reply, problem(404, "unknown-path", `nothing is at ${quoted(path)}`));
    return sendProblem(request, reply, problem(405, "method", `${method} can't be used here: expected ${allow.Allow}`, { headers: allow }));
  };
  fastify.addHook("onRequest", (request, reply, done) => {
    if (request.is404) refuse(request, reply);
    else done();
  });
  fastify.setNotFoundHandler(refuse);
}

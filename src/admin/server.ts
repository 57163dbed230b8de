/** The master's own servers: admin.sock, which workers pass requests on to, and DROVER_ADMIN_BIND. */
import type { IncomingMessage, Server } from "node:http";
import { http } from "../base/http.ts";
import { refusePipelining } from "../base/parsing.ts";
import { normaliseTarget } from "../base/target.ts";
import type { AdminApi } from "./api.ts";
import { CLIENT_HEADER, ID_HEADER, SECURE_HEADER } from "./edge/forward.ts";
import { readText, write } from "./edge/io.ts";
import { LARGEST_BODY, problem, type AdminRequest } from "./request.ts";

/** Milliseconds in which a request must have come whole. */
const PATIENCE = 5_000;

/** @returns a server that listens nowhere yet; its caller limits its connections. Every request is treated as one from the network. */
export function adminServer(api: AdminApi): Server {
  const timeouts = { requestTimeout: PATIENCE, headersTimeout: PATIENCE, connectionsCheckingInterval: 500, keepAliveTimeout: 65_000 };
  const server = http.createServer(timeouts, (req, res) => {
    void respond(api, req).then((answer) => write(req, res, answer));
  });
  refusePipelining(server); // before any work: a read may hold a thousand requests, and the master waits for nothing
  server.on("clientError", (_error, socket) => socket.destroy());
  return server;
}

async function respond(api: AdminApi, req: IncomingMessage): ReturnType<AdminApi["handle"]> {
  if (!normaliseTarget(req))
    return problem({ status: 400, code: "target", detail: "expected a target such as /path", headers: { Connection: "close" } });
  const body = await readText(req, LARGEST_BODY);
  if (body === undefined)
    return problem({ status: 413, code: "too-large", detail: "the body is too long", headers: { Connection: "close" } });
  return await api.handle(requestOf(req, body), "network");
}

const one = (value: string | string[] | undefined, most: number): string => (typeof value === "string" ? value.slice(0, most) : "");

const requestOf = (req: IncomingMessage, body: string): AdminRequest => ({
  method: req.method ?? "",
  target: req.url ?? "/",
  headers: req.headers,
  body,
  client: one(req.headers[CLIENT_HEADER], 100),
  requestId: one(req.headers[ID_HEADER], 128),
  secure: req.headers[SECURE_HEADER] === "1",
});

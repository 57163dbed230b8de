/**
 * The control socket: HTTP over a unix socket that only this user can open (0600 from birth). Whoever may open it is the
 * operator. `GET /status` gives the snapshot, `GET /metrics` Prometheus' text; `POST /VERB` posts a command. Bodies are small, answers JSON.
 */
import { chmodSync } from "node:fs";
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import { limitConnections } from "../../base/connectionlimit.ts";
import { http } from "../../base/http.ts";
import { messageOf } from "../../base/errors.ts";
import { refusePipelining } from "../../base/parsing.ts";
import { storageError } from "../../base/storage.ts";
import { CONTROL_CONNECTIONS } from "../../settings/files.ts";

/** What the operator may ask of a running master. The command line has the same verbs. */
export const CONTROL_VERBS = [
  { verb: "reload", does: "roll a new generation, as SIGHUP does" },
  { verb: "scale", does: 'set the number of workers: {"to": N}' },
  { verb: "recycle", does: 'replace one worker, or all of them one by one: {"slot": N}' },
  { verb: "stack", does: 'what one worker does now: its JavaScript stack and its requests in flight: {"slot": N}' },
  {
    verb: "slots",
    does: 'who is in; {"do": "reap"} frees what has run out; {"do": "end", "who": user or session} puts somebody out; {"do": "reset-day"} counts daily quotas by the clock\'s day',
  },
  { verb: "alerts", does: 'what fires; {"do": "test"} sends a test to every sink; {"do": "ack", "name": alert} marks one as seen' },
  {
    verb: "dashboard",
    does: 'a one-time link to the dashboard; {"token": "viewer" or "operator", "name": NAME, "days": N} makes a token; {"revoke": NAME} ends those of that name',
  },
  { verb: "reopen", does: "open the log files again, as SIGUSR1 does" },
  { verb: "stop", does: 'stop gracefully, or at once: {"now": true}' },
] as const satisfies readonly { verb: string; does: string }[];

export type ControlVerb = (typeof CONTROL_VERBS)[number]["verb"];

/** `generation`: the one that a reload will bring. */
export type ControlAnswer =
  | { readonly ok: true; readonly message: string; readonly generation?: number }
  | { readonly ok: false; readonly message: string };

export interface ControlHandlers {
  status(): unknown;
  /** Something came that is no request of ours: it was refused. */
  refused(why: string): void;
  command(verb: ControlVerb, body: Readonly<Record<string, unknown>>): ControlAnswer | Promise<ControlAnswer>;
  /** The admin API, for whoever may open this socket; undefined where there is none. */
  admin?(method: string, target: string, req: IncomingMessage): Promise<ControlReply>;
}

export interface ControlReply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Buffer;
}

/** Where the admin API is. */
const ADMIN = /^(?:\/api\/admin\/|\/metrics(?:\?|$))/;

const LARGEST_BODY = 4_096;
const LONGEST_QUOTE = 100;
/** Milliseconds in which a client must have sent its request: it must not keep the operator's next command out. */
const PATIENCE = 5_000;

/** Serves the control socket at `path`, whose directory exists and whose stale file was removed. */
export function serveControl(path: string, handlers: ControlHandlers): Promise<Server> {
  const server = http.createServer({ requestTimeout: PATIENCE, headersTimeout: PATIENCE, connectionsCheckingInterval: 500 }, (req, res) => {
    answer(req, res, handlers).catch((error: unknown) => {
      if (!res.headersSent) reply(res, 500, { ok: false, message: messageOf(error) });
    });
  });
  limitConnections(server, CONTROL_CONNECTIONS, () =>
    handlers.refused(`more than ${CONTROL_CONNECTIONS} connections: an idle one was closed`),
  );
  refusePipelining(server, () => handlers.refused("a request came before the earlier one of its connection was answered"));
  server.on("clientError", (error, socket) => {
    handlers.refused(`no HTTP: ${messageOf(error)}`);
    socket.destroy();
  });
  return new Promise((resolve, reject) => {
    server.on("error", (error) => {
      if (server.listening) return handlers.refused(`a connection was not accepted: ${messageOf(error)}`);
      reject(storageError(`the control socket ${path} can't be made`, error));
    });
    const before = process.umask(0o177);
    server.listen(path, () => {
      chmodSync(path, 0o600);
      resolve(server);
    });
    process.umask(before); // listen() on a path binds before it returns
  });
}

async function answer(req: IncomingMessage, res: ServerResponse, handlers: ControlHandlers): Promise<void> {
  const path = req.url ?? "/";
  const refuse = (status: number, message: string): void => {
    handlers.refused(message);
    reply(res, status, { ok: false, message });
  };
  if (req.method === "GET" && path === "/status") return reply(res, 200, handlers.status());
  if (handlers.admin !== undefined && ADMIN.test(path)) {
    const { status, headers, body } = await handlers.admin(req.method ?? "", path, req);
    res.writeHead(status, { ...headers, "content-length": Buffer.byteLength(body), connection: "close" });
    return void res.end(body);
  }
  const verb = CONTROL_VERBS.find((row) => path === `/${row.verb}`)?.verb;
  if (verb === undefined) return refuse(404, `no such command: ${req.method} ${path.slice(0, LONGEST_QUOTE)}`);
  if (req.method !== "POST") return refuse(405, `${path} takes POST`);
  const body = await readBody(req);
  if (body === undefined) return refuse(400, `the body must be a JSON object of at most ${LARGEST_BODY} bytes`);
  const result = await handlers.command(verb, body);
  reply(res, result.ok ? 200 : 409, result);
}

async function readBody(req: IncomingMessage): Promise<Record<string, unknown> | undefined> {
  let text = "";
  // Left in the middle of a body that is too long, the request must live until it is answered.
  for await (const chunk of req.setEncoding("utf8").iterator({ destroyOnReturn: false })) {
    text += String(chunk);
    if (text.length > LARGEST_BODY) return undefined;
  }
  if (text.trim() === "") return {};
  try {
    const parsed: unknown = JSON.parse(text);
    return typeof parsed === "object" && parsed !== null && !Array.isArray(parsed) ? (parsed as Record<string, unknown>) : undefined;
  } catch {
    return undefined; // not JSON: the caller answers 400
  }
}

function reply(res: ServerResponse, status: number, body: unknown): void {
  const text = `${JSON.stringify(body)}\n`;
  res.writeHead(status, { "content-type": "application/json", "content-length": Buffer.byteLength(text), connection: "close" });
  res.end(text);
}

/**
 * Routes that Google does not have, for tests in other processes: faults, manual edits, rows and counters. They exist only
 * when a token was given at the start, and answer only callers on this machine that send it.
 */
import { createHash, timingSafeEqual } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { FaultQueue } from "./faults/fault-queue.ts";
import { personAt } from "./faults/manual-edits.ts";
import { parseEdits, parseFaults } from "./faults/parse-fault.ts";
import { LIMITS } from "./limits.ts";
import { readBody } from "./read-body.ts";
import type { RequestCounters } from "./request-counters.ts";
import type { DurableEngine } from "./state-file.ts";

export interface ControlPorts {
  readonly token: string;
  readonly faults: FaultQueue;
  readonly engine: DurableEngine;
  readonly counters: RequestCounters;
}

/** A refusal's body is `{error}`. */
interface Reply {
  readonly status: number;
  readonly body: unknown;
}

const OK = (body: unknown): Reply => ({ status: 200, body });
const refuse = (status: number, error: string): Reply => ({ status, body: { error } });

const digest = (text: string): Buffer => createHash("sha256").update(text).digest();

/** IPv4, the same within IPv6, IPv6. A Unix socket has no address: its peer is on this machine. */
const LOOPBACK = /^(?:::ffff:)?127\.|^::1$/;

/** @returns undefined when the caller is allowed. */
function refusalOf(req: IncomingMessage, token: string): Reply | undefined {
  const from = req.socket.remoteAddress;
  if (from !== undefined && !LOOPBACK.test(from)) return refuse(403, "only from this machine");
  if (req.headers.origin !== undefined) return refuse(403, "not for web pages");
  const sent = /^Bearer (\S+)$/i.exec(req.headers.authorization ?? "")?.[1] ?? "";
  if (timingSafeEqual(digest(sent), digest(token))) return undefined;
  return refuse(401, "expected the emulator's token: Authorization: Bearer TOKEN");
}

/** Answers a request to a path under /emulator/. */
export async function answerControl(
  req: IncomingMessage,
  res: ServerResponse,
  ports: ControlPorts,
): Promise<void> {
  const url = new URL(req.url ?? "/", "http://emulator.invalid");
  const reply = refusalOf(req, ports.token) ?? (await dispatch(req, url, ports));
  if (reply === "gone") return;
  res
    .writeHead(reply.status, { "Content-Type": "application/json", Connection: "close" })
    .end(`${JSON.stringify(reply.body)}\n`);
}

async function dispatch(
  req: IncomingMessage,
  url: URL,
  { faults, engine, counters }: ControlPorts,
): Promise<Reply | "gone"> {
  const person = personAt(engine, url.searchParams.get("spreadsheet") ?? "");
  switch (`${req.method} ${url.pathname}`) {
    case "GET /emulator/requests":
      return OK(counters.requests());
    case "GET /emulator/faults":
      return OK({ waiting: faults.list(), delivered: faults.delivered() });
    case "DELETE /emulator/faults":
      faults.clear();
      return OK({ waiting: [], delivered: faults.delivered() });
    case "POST /emulator/faults":
      return withSpecs(req, parseFaults, (found) => {
        faults.add(found);
        return { status: 201, body: found };
      });
    case "POST /emulator/edits":
      return withSpecs(req, parseEdits, async (found) => {
        for (const edit of found) await person.edit(edit);
        return OK(found);
      });
    case "GET /emulator/rows":
      return orRefusal(404, async () => OK(await person.rows(url.searchParams.get("tab") ?? "")));
    case "GET /emulator/metadata":
      return orRefusal(404, async () => OK(await person.metadata()));
    default:
      return refuse(
        404,
        "expected GET, POST or DELETE /emulator/faults, POST /emulator/edits, GET /emulator/rows, metadata or requests",
      );
  }
}

/** A RangeError is the caller's fault; others are ours. */
async function orRefusal(status: number, act: () => Reply | Promise<Reply>): Promise<Reply> {
  try {
    return await act();
  } catch (error) {
    if (error instanceof RangeError) return refuse(status, error.message);
    throw error;
  }
}

/** Reads specs from the body. @returns "gone" when the client closed the connection. */
async function withSpecs<T>(
  req: IncomingMessage,
  parse: (text: string) => readonly T[] | string,
  act: (specs: readonly T[]) => Reply | Promise<Reply>,
): Promise<Reply | "gone"> {
  // A page can send text/plain, too, but not without an Origin.
  if (!/^text\/plain\b/i.test(req.headers["content-type"] ?? ""))
    return refuse(415, "expected Content-Type: text/plain and a spec");
  const body = await readBody(req, LIMITS.smallBody);
  if (body === "gone") return body;
  if (body === "too large") return refuse(413, `expected at most ${LIMITS.smallBody} bytes`);
  const specs = parse(body.toString("utf8"));
  return typeof specs === "string" ? refuse(400, specs) : orRefusal(409, () => act(specs));
}

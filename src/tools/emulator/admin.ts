/**
 * Routes that Google does not have: tests in other processes order faults, edit by hand, look at the rows and count calls.
 * They exist only when a token was given at the start, and answer only callers on this machine that show it.
 */
import { createHash, timingSafeEqual } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { parseJson, readBody } from "./body.ts";
import { editByHand, metadataOf, rowsOf } from "./byhand.ts";
import type { Edit } from "./fault-kinds.ts";
import { readEdit, readFault } from "./fault-read.ts";
import { readEditSpecs, readFaultSpecs } from "./fault-spec.ts";
import type { Faults } from "./faults.ts";
import { LIMITS } from "./limits.ts";
import type { DurableEngine } from "./state-file.ts";
import type { Requests } from "./tally.ts";

export interface AdminPorts {
  readonly token: string;
  readonly faults: Faults;
  readonly engine: DurableEngine;
  readonly requests: () => Requests;
}

interface Reply {
  readonly status: number;
  readonly body: unknown;
}

const refuse = (status: number, error: string): Reply => ({ status, body: { error } });
const OK = (body: unknown): Reply => ({ status: 200, body });

const digest = (text: string): Buffer => createHash("sha256").update(text).digest();

/** IPv4, the same within IPv6, IPv6; a Unix socket has no address and no one else at its other end. */
const LOOPBACK = /^(?:::ffff:)?127\.|^::1$/;

/** @returns why the caller may not, or undefined. */
function unwelcome(req: IncomingMessage, token: string): Reply | undefined {
  const from = req.socket.remoteAddress;
  if (from !== undefined && !LOOPBACK.test(from)) return refuse(403, "only from this machine");
  if (req.headers.origin !== undefined) return refuse(403, "not for pages");
  const shown = /^Bearer (\S+)$/i.exec(req.headers.authorization ?? "")?.[1] ?? "";
  if (timingSafeEqual(digest(shown), digest(token))) return undefined;
  return refuse(
    401,
    "send the token that the emulator was started with: Authorization: Bearer TOKEN",
  );
}

/** Answers one request to a path under /emulator/. */
export async function answerAdmin(
  req: IncomingMessage,
  res: ServerResponse,
  ports: AdminPorts,
): Promise<void> {
  const url = new URL(req.url ?? "/", "http://emulator.invalid");
  const reply = unwelcome(req, ports.token) ?? (await dispatch(req, url, ports));
  if (reply === undefined) return;
  res
    .writeHead(reply.status, { "Content-Type": "application/json", Connection: "close" })
    .end(`${JSON.stringify(reply.body)}\n`);
}

/** @returns undefined when the client went away. */
async function dispatch(
  req: IncomingMessage,
  url: URL,
  ports: AdminPorts,
): Promise<Reply | undefined> {
  switch (`${req.method} ${url.pathname}`) {
    case "GET /emulator/requests":
      return OK(ports.requests());
    case "GET /emulator/faults":
      return OK({ waiting: ports.faults.list(), delivered: ports.faults.delivered() });
    case "DELETE /emulator/faults":
      ports.faults.clear();
      return OK({ waiting: [], delivered: ports.faults.delivered() });
    case "POST /emulator/faults":
      return order(req, ports.faults);
    case "POST /emulator/edits":
      return edit(req, url, ports.engine);
    case "GET /emulator/rows":
      return look(() =>
        rowsOf(
          ports.engine,
          url.searchParams.get("spreadsheet") ?? "",
          url.searchParams.get("tab") ?? "",
        ),
      );
    case "GET /emulator/metadata":
      return look(() => metadataOf(ports.engine, url.searchParams.get("spreadsheet") ?? ""));
    default:
      return refuse(
        404,
        "there are GET, POST and DELETE /emulator/faults, POST /emulator/edits, GET /emulator/rows, metadata and requests",
      );
  }
}

async function look(read: () => Promise<unknown>): Promise<Reply> {
  try {
    return OK(await read());
  } catch (error) {
    if (error instanceof RangeError) return refuse(404, error.message);
    throw error;
  }
}

/** A body: JSON for one, text for specs. @returns what it holds, or the refusal; undefined when the client went away. */
async function read<T>(
  req: IncomingMessage,
  one: (raw: unknown) => T | string,
  specs: (text: string) => readonly T[] | string,
): Promise<readonly T[] | Reply | undefined> {
  const type = /^(application\/json|text\/plain)\b/i
    .exec(req.headers["content-type"] ?? "")?.[1]
    ?.toLowerCase();
  if (type === undefined) return refuse(415, "send application/json, or text/plain with a spec");
  const body = await readBody(req, LIMITS.smallBody);
  if (body === "gone") return undefined;
  if (body === "too large") return refuse(413, `a body has ${LIMITS.smallBody} bytes at most`);
  if (type === "text/plain") {
    const found = specs(body.toString("utf8"));
    return typeof found === "string" ? refuse(400, found) : found;
  }
  const parsed = parseJson(body);
  if ("violation" in parsed) return refuse(400, parsed.violation.description);
  const found = one(parsed.value);
  return typeof found === "string" ? refuse(400, found) : [found];
}

const isReply = (value: object): value is Reply => "status" in value && "body" in value;

async function order(req: IncomingMessage, faults: Faults): Promise<Reply | undefined> {
  const found = await read(req, readFault, readFaultSpecs);
  if (found === undefined || isReply(found)) return found;
  if (faults.list().length + found.length > LIMITS.faults)
    return refuse(409, `${LIMITS.faults} faults wait at most: clear some first`);
  for (const fault of found) faults.arm(fault);
  return { status: 201, body: found };
}

async function edit(
  req: IncomingMessage,
  url: URL,
  engine: DurableEngine,
): Promise<Reply | undefined> {
  const found = await read<Edit>(req, readEdit, readEditSpecs);
  if (found === undefined || isReply(found)) return found;
  try {
    for (const one of found)
      await editByHand(engine, url.searchParams.get("spreadsheet") ?? "", one);
  } catch (error) {
    if (error instanceof RangeError) return refuse(409, error.message);
    throw error;
  }
  return OK(found);
}

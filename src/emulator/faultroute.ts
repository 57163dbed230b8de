/** The routes by which tests in other processes order faults and count calls. Open only when the emulator is told so. */
import type { IncomingMessage, ServerResponse } from "node:http";
import { readBody, parseJson } from "./body.ts";
import { readFault, type Faults } from "./faults.ts";
import { LIMITS } from "./limits.ts";
import type { Requests } from "./tally.ts";

function reply(res: ServerResponse, status: number, body: unknown): void {
  res.writeHead(status, { "Content-Type": "application/json", Connection: "close" }).end(`${JSON.stringify(body)}\n`);
}

/**
 * POST /emulator/faults (one fault) · GET and DELETE /emulator/faults · GET /emulator/requests.
 * A browser's page can't reach them: an Origin is refused, and a POST must say application/json.
 */
export async function answerFaults(
  req: IncomingMessage,
  res: ServerResponse,
  { path, faults, requests }: { path: string; faults: Faults; requests: Requests },
): Promise<void> {
  if (req.headers.origin !== undefined) return reply(res, 403, { error: "not for pages" });
  if (path === "/emulator/requests" && req.method === "GET") return reply(res, 200, requests);
  if (path !== "/emulator/faults") return reply(res, 404, { error: "the emulator has /emulator/faults and /emulator/requests" });
  switch (req.method) {
    case "GET":
      return reply(res, 200, faults.list());
    case "DELETE":
      faults.clear();
      return reply(res, 200, []);
    case "POST":
      return order(req, res, faults);
    default:
      return reply(res, 405, { error: "GET, POST or DELETE" });
  }
}

async function order(req: IncomingMessage, res: ServerResponse, faults: Faults): Promise<void> {
  if (!/^application\/json\b/i.test(req.headers["content-type"] ?? "")) return reply(res, 415, { error: "send application/json" });
  const body = await readBody(req, LIMITS.smallBody);
  if (body === "gone") return;
  const parsed = body === "too large" ? undefined : parseJson(body);
  if (parsed === undefined || "violation" in parsed) return reply(res, 400, { error: parsed?.violation.description ?? "too large" });
  const fault = readFault(parsed.value);
  if (typeof fault === "string") return reply(res, 400, { error: fault });
  if (faults.list().length >= LIMITS.faults) return reply(res, 409, { error: `${LIMITS.faults} faults wait already` });
  faults.arm(fault);
  reply(res, 201, fault);
}

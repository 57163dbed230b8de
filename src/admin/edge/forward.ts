/** From a worker to the master: HTTP over admin.sock, with what the master judges by and nothing else. */
import type { Agent, IncomingMessage } from "node:http";
import { http } from "../../base/http.ts";
import { messageOf } from "../../base/errors.ts";
import { seconds } from "../../base/units.ts";
import { GUARD, problem, type AdminAnswer, type AdminRequest } from "../request.ts";

/** Connections of one worker to the master, and requests that may wait for one. */
const CONNECTIONS = 2;
const MOST = 16;
/** Of these, how many viewers may have: operators always find room. */
const MOST_OF_VIEWERS = 8;
/** Longer than the master takes for a stack, and for a question to the broker. */
const PATIENCE = seconds(10);
const LARGEST_ANSWER = 4_194_304;
const PASSED_ON = ["host", "authorization", "cookie", "content-type", "origin", "sec-fetch-site", "x-drover-csrf"] as const;
const TAKEN_BACK = [
  "content-type",
  "set-cookie",
  "retry-after",
  "www-authenticate",
  "allow",
  "x-drover-refused",
  "clear-site-data",
] as const;

/** What the worker says of the client, in headers of its own; the master believes it for the audit alone. */
export const CLIENT_HEADER = "x-drover-client";
export const SECURE_HEADER = "x-drover-secure";
export const ID_HEADER = "x-request-id";

const away = (detail: string): AdminAnswer =>
  problem({ status: 503, code: "master", detail, headers: { "Retry-After": "1", "X-Drover-Refused": "master" } });

/** @param socketPath of the master. @returns a function that never rejects. */
export function forwarder(socketPath: string): (request: AdminRequest, first: boolean) => Promise<AdminAnswer> {
  const agent = new http.Agent({ keepAlive: true, maxSockets: CONNECTIONS, timeout: 60_000 });
  const open = { operators: 0, viewers: 0 };
  return async (request, first) => {
    const full = open.operators + open.viewers >= MOST || (!first && open.viewers >= MOST_OF_VIEWERS);
    if (full) return away("too many requests of this worker wait for the master");
    const who = first ? "operators" : "viewers";
    open[who] += 1;
    try {
      return await ask(socketPath, agent, request);
    } catch (error) {
      return away(`the master does not answer: ${messageOf(error)}`);
    } finally {
      open[who] -= 1;
    }
  };
}

function ask(socketPath: string, agent: Agent, request: AdminRequest): Promise<AdminAnswer> {
  const { method, target, body, client, secure, requestId } = request;
  const headers: Record<string, string> = { [CLIENT_HEADER]: client, [ID_HEADER]: requestId, ...(secure ? { [SECURE_HEADER]: "1" } : {}) };
  for (const name of PASSED_ON) if (typeof request.headers[name] === "string") headers[name] = request.headers[name];
  if (method === "POST") headers["content-length"] = String(Buffer.byteLength(body));
  return new Promise((resolve, reject) => {
    const req = http.request({ socketPath, agent, method, path: target, headers, timeout: PATIENCE }, (res) => {
      const chunks: Buffer[] = [];
      let size = 0;
      res.on("data", (chunk: Buffer) => {
        chunks.push(chunk);
        size += chunk.length;
        if (size > LARGEST_ANSWER) req.destroy(new Error("its answer is too long"));
      });
      res.on("error", reject);
      res.on("end", () => resolve({ status: res.statusCode ?? 502, headers: taken(res), body: Buffer.concat(chunks) }));
    });
    req.on("timeout", () => req.destroy(new Error(`nothing for ${PATIENCE / 1_000} s`)));
    req.on("error", reject);
    req.end(method === "POST" ? body : undefined);
  });
}

function taken(res: IncomingMessage): Record<string, string> {
  const headers: Record<string, string> = { ...GUARD };
  for (const name of TAKEN_BACK) {
    const value = res.headers[name];
    if (value !== undefined) headers[name] = Array.isArray(value) ? (value[0] ?? "") : value;
  }
  return headers;
}

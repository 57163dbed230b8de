/** One request outside of a run: nobody counts it, and what goes wrong is said. */
import type { IncomingHttpHeaders, IncomingMessage } from "node:http";
import { http, https } from "../base/http.ts";
import { DroverError, errnoOf, messageOf } from "../base/errors.ts";
import { tlsOptions, type Target } from "./target.ts";
import type { Endpoint } from "./traffic.ts";

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export interface Patience {
  readonly timeoutMs: number;
  /** Cuts it. */
  readonly signal?: AbortSignal;
}

/** What is asked for, as its users will ask. */
export type Asked = Pick<Endpoint, "path" | "headers">;

const LARGEST = 16 * 1_048_576;
export const target69 = (message: string, cause?: unknown): DroverError => new DroverError("DROVER_E_TARGET", message, { cause });

/** A certificate that this machine does not know is usual on loopback; OpenSSL's own words for a plain port help nobody. */
const reasonOf = (error: Error): string =>
  errnoOf(error) === "EPROTO"
    ? "it speaks no TLS there: http:// perhaps?"
    : /CERT|SIGNED|UNABLE_TO_(?:GET|VERIFY)/.test(errnoOf(error) ?? "")
      ? `its certificate is not trusted here (${errnoOf(error)}): NODE_EXTRA_CA_CERTS=FILE names who signed it`
      : messageOf(error);

/** @throws DroverError DROVER_E_TARGET when no answer is there within the time, or none that is HTTP's. */
export function look(target: Target, { path, headers }: Asked, { timeoutMs, signal }: Patience): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  const fail = (why: string, cause?: unknown): void => reject(target69(`${target.url} can't be loaded: ${why}`, cause));
  const { request } = target.protocol === "https:" ? https() : http;
  const req = request({
    host: target.address,
    port: target.port,
    path: path.replaceAll("{n}", "0"),
    headers: { host: target.host, "user-agent": "drover-load", accept: "*/*", ...headers },
    agent: false,
    ...tlsOptions(target),
    ...(signal === undefined ? {} : { signal }),
  });
  let [heard, answered] = [false, false];
  const patience = setTimeout(() => {
    const time = `${Number((timeoutMs / 1_000).toFixed(1))} s`;
    fail(heard ? `no whole answer within ${time} (a stream that never ends can't be measured)` : `nothing came within ${time}`);
    req.destroy();
  }, timeoutMs);
  req.on("information", () => (heard = true));
  req.on("response", (res) => {
    heard = answered = true;
    whole(res).then(resolve, (error: Error) => reject(target69(`${target.url}: its answer broke off: ${messageOf(error)}`, error)));
  });
  // Node.js hands the socket over and says nothing more of the request.
  req.on("upgrade", ({ statusCode }, socket) => {
    socket.destroy();
    fail(`it answers ${statusCode} and leaves HTTP, which nobody had asked for`);
  });
  req.on("error", (error) => fail(reasonOf(error), error));
  req.on("close", () => {
    clearTimeout(patience);
    if (!answered) fail("it closed the connection without an answer"); // when nothing else was said before
  });
  req.end();
  return promise;
}

function whole(res: IncomingMessage): Promise<Answer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  res.on("data", (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes <= LARGEST) chunks.push(chunk);
  });
  return new Promise((resolve, reject) => {
    res.on("end", () => resolve({ status: res.statusCode ?? 0, headers: res.headers, body: Buffer.concat(chunks).toString() }));
    res.on("error", reject);
    res.on("close", () => reject(new Error("it ended too soon"))); // when it has not ended
  });
}

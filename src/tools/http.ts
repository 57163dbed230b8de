/** One HTTP request of a tool: bounded in time and size, on a connection of its own. */
import type { IncomingHttpHeaders, OutgoingHttpHeaders } from "node:http";
import { http, https } from "../base/http.ts";
import type { Ms } from "../base/units.ts";

export interface Reply {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export interface RequestOptions {
  readonly method?: string;
  readonly headers?: OutgoingHttpHeaders;
  readonly body?: string;
  /** Of silence on the connection. */
  readonly timeout: Ms;
  /** The user agent. */
  readonly agent: string;
  readonly signal?: AbortSignal;
  /** A daemon of this machine is asked by its address; its certificate is for its public name. */
  readonly anyCertificate?: boolean;
}

/** Bytes; no answer of drover is larger. */
const LARGEST = 16 * 1_048_576;

/** @throws Error when the whole answer does not come in time, or is over 16 MiB; the signal's AbortError. */
export function request(url: string, options: RequestOptions): Promise<Reply> {
  const { method = "GET", body, timeout, agent, signal, anyCertificate = false } = options;
  const json =
    body === undefined
      ? {}
      : { "content-type": "application/json", "content-length": Buffer.byteLength(body) };
  const client = url.startsWith("https:") ? https() : http;
  return new Promise((resolve, reject) => {
    // A request that is destroyed while its answer arrives may report nothing.
    const fail = (message: string): void => {
      reject(new Error(`${url}: ${message}`));
      req.destroy();
    };
    const req = client.request(
      url,
      {
        method,
        agent: false,
        timeout,
        rejectUnauthorized: !anyCertificate,
        headers: { "user-agent": agent, ...json, ...options.headers },
        ...(signal === undefined ? {} : { signal }),
      },
      (res) => {
        const chunks: Buffer[] = [];
        let bytes = 0;
        res.on("data", (chunk: Buffer) => {
          chunks.push(chunk);
          bytes += chunk.length;
          if (bytes > LARGEST) fail(`the answer is over ${LARGEST} bytes`);
        });
        res.on("error", reject);
        res.on("end", () =>
          resolve({
            status: res.statusCode ?? 0,
            headers: res.headers,
            body: Buffer.concat(chunks).toString(),
          }),
        );
      },
    );
    req.on("timeout", () => fail(`no answer within ${timeout / 1_000} s`));
    req.on("error", reject);
    req.end(body);
  });
}

/** @returns the first address that speaks HTTP over TCP, as this machine reaches it, without a slash at its end. */
export const localUrl = (urls: readonly string[]): string | undefined =>
  urls
    .find((one) => /^https?:/.test(one))
    ?.replace("://0.0.0.0:", "://127.0.0.1:")
    .replace("://[::]:", "://[::1]:")
    .replace(/\/$/, "");

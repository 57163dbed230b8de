/** One POST to the webhook: an attempt, not a delivery. */
import { http, https } from "../../base/http.ts";
import { messageOf } from "../../base/errors.ts";
import type { Ms } from "../../base/units.ts";

export interface Post {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** Of the whole exchange. */
  readonly within: Ms;
}

export interface Posted {
  /** 0: there was no answer. */
  readonly status: number;
  /** Why there was none; the answer's first words when it is no 2xx. One line, without the address: that may be a secret. */
  readonly why: string;
}

const MOST_ANSWER = 4_096;
const QUOTED = 200;

/** Makes the request once, follows no redirect, reads little. @throws nothing. */
export async function post(what: Post): Promise<Posted> {
  try {
    return await exchange(what);
  } catch (error) {
    const late = ABORTED.has(String((error as { name?: unknown }).name));
    return { status: 0, why: late ? `no answer within ${what.within} ms` : plain(error) };
  }
}

const ABORTED: ReadonlySet<string> = new Set(["AbortError", "TimeoutError"]);
/** Node's errors of a connection name host and port, never the path. */
const plain = (error: unknown): string => oneLine(messageOf(error));
const oneLine = (text: string): string =>
  text
    .replace(/[\p{Cc}\p{Cf}\s]+/gu, " ")
    .trim()
    .slice(0, QUOTED);

function exchange({ url, headers, body, within }: Post): Promise<Posted> {
  const { promise, resolve, reject } = Promise.withResolvers<Posted>();
  const target = new URL(url);
  const { request } = target.protocol === "https:" ? https() : http;
  const req = request(target, {
    method: "POST",
    agent: false,
    signal: AbortSignal.timeout(within),
    headers: { ...headers, "content-length": Buffer.byteLength(body), connection: "close" },
  });
  req.on("error", reject);
  req.on("response", (res) => {
    let text = "";
    const done = (): void => {
      const status = res.statusCode ?? 0;
      resolve({ status, why: status >= 200 && status < 300 ? "" : oneLine(text) });
      res.destroy();
    };
    res.setEncoding("utf8");
    res.on("data", (chunk: string) => {
      text += chunk.slice(0, MOST_ANSWER);
      if (text.length >= MOST_ANSWER) done();
    });
    res.on("end", done);
    res.on("error", reject);
  });
  req.end(body);
  return promise;
}

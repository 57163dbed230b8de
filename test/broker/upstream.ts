/** An HTTP server in Google's place, with faults to order, and a log of all it was asked. */
import { generateKeyPairSync } from "node:crypto";
import { writeFileSync } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { http } from "../../src/base/http.ts";
import { temporaryFolder } from "../support/folder.ts";

export const SPREADSHEET = "spreadsheet-for-the-tests-1";
export const EMAIL = "reader@tests.invalid";

export interface Asked {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly authorization: string | undefined;
}

type Fault = (req: IncomingMessage, res: ServerResponse) => void;

export const answerJson =
  (status: number, body: unknown): Fault =>
  (_, res) => {
    res.writeHead(status, { "content-type": "application/json; charset=UTF-8" }).end(JSON.stringify(body));
  };

export const googleError = (code: number, status: string, message: string, details?: readonly unknown[]): Fault =>
  answerJson(code, { error: { code, message, status, ...(details === undefined ? {} : { details }) } });

/** A 429 as Google writes it. */
export const quotaError = (metadata: object = {}): Fault =>
  googleError(429, "RESOURCE_EXHAUSTED", "Quota exceeded for quota metric 'Read requests' and limit 'Read requests per minute per user'.", [
    {
      "@type": "type.googleapis.com/google.rpc.ErrorInfo",
      reason: "RATE_LIMIT_EXCEEDED",
      metadata: { quota_limit: "ReadRequestsPerMinutePerUser", quota_unit: "1/min/{project}/{user}", ...metadata },
    },
  ]);

export class FakeGoogle {
  readonly asked: Asked[] = [];
  /** The rows of each tab. */
  readonly tabs = new Map<string, unknown[][]>();
  /** Answers the next API calls instead of the rows; then the standing one, if any. */
  readonly faults: Fault[] = [];
  standing: Fault | undefined;
  tokenFault: Fault | undefined;
  tokenLife = 3_599;
  #tokens = 0;
  readonly #server = http.createServer((req, res) => this.#serve(req, res));
  url = "";

  async start(port = 0): Promise<this> {
    await new Promise<void>((resolve) => this.#server.listen(port, "127.0.0.1", resolve));
    this.url = `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
    return this;
  }

  async stop(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    this.#server.closeAllConnections();
    await closed;
  }

  get apiCalls(): readonly Asked[] {
    return this.asked.filter(({ path }) => path.startsWith("/v4/"));
  }

  get tokenCalls(): number {
    return this.asked.length - this.apiCalls.length;
  }

  /** Tokens given so far are no longer accepted. */
  expireTokens(): void {
    this.#accepted = this.#tokens;
  }
  #accepted = 0;

  #serve(req: IncomingMessage, res: ServerResponse): void {
    const url = new URL(req.url ?? "/", "http://x");
    this.asked.push({ method: req.method ?? "", path: url.pathname, query: url.searchParams, authorization: req.headers.authorization });
    req.resume();
    if (url.pathname === "/token") return this.#token(req, res);
    const fault = this.faults.shift() ?? this.standing;
    if (fault !== undefined) return fault(req, res);
    const token = Number(/^Bearer token-(\d+)$/.exec(req.headers.authorization ?? "")?.[1] ?? 0);
    if (token <= this.#accepted) return googleError(401, "UNAUTHENTICATED", "Request had invalid authentication credentials.")(req, res);
    if (url.pathname === `/v4/spreadsheets/${SPREADSHEET}`)
      return answerJson(200, { sheets: [...this.tabs.keys()].map((title) => ({ properties: { title, sheetType: "GRID" } })) })(req, res);
    return this.#values(url.searchParams.getAll("ranges"), req, res);
  }

  #token(req: IncomingMessage, res: ServerResponse): void {
    if (this.tokenFault !== undefined) return this.tokenFault(req, res);
    this.#tokens += 1;
    answerJson(200, { access_token: `token-${this.#tokens}`, expires_in: this.tokenLife, token_type: "Bearer" })(req, res);
  }

  #values(ranges: readonly string[], req: IncomingMessage, res: ServerResponse): void {
    const names = ranges.map((range) => range.replace(/^'|'$/g, ""));
    const missing = names.find((name) => !this.tabs.has(name));
    if (missing !== undefined) return googleError(400, "INVALID_ARGUMENT", `Unable to parse range: ${missing}`)(req, res);
    const body = JSON.stringify({ valueRanges: names.map((name) => ({ range: `${name}!A1:Z1000`, values: this.tabs.get(name) })) });
    res.writeHead(200, { "content-type": "application/json; charset=UTF-8", "content-encoding": "gzip" }).end(gzipSync(body));
  }
}

let pair: { privateKey: string } | undefined;
/** A key file in a folder of its own. */
export function keyFile(change: object = {}): string {
  pair ??= generateKeyPairSync("rsa", {
    modulusLength: 2_048,
    privateKeyEncoding: { type: "pkcs8", format: "pem" },
    publicKeyEncoding: { type: "spki", format: "pem" },
  });
  const path = join(temporaryFolder("key"), "key.json");
  const key = {
    type: "service_account",
    client_email: EMAIL,
    private_key: pair.privateKey,
    private_key_id: "k1",
    token_uri: "http://ignored",
  };
  writeFileSync(path, JSON.stringify({ ...key, ...change }));
  return path;
}

export const truncated =
  (body: string): Fault =>
  (_, res) => {
    const whole = gzipSync(body);
    res.writeHead(200, { "content-type": "application/json", "content-encoding": "gzip" }).end(whole.subarray(0, whole.length >> 1));
  };

/**
 * Google's own client, with its policies switched off, because policy is ours: no retries (the default sends four requests
 * into a lock-out), a deadline for the whole call (there is none), no redirects, bounded answers. The libraries are loaded
 * at the first call, so that the broker is ready before they are.
 */
import type { Agent as HttpAgent } from "node:http";
import type { sheets_v4 } from "@googleapis/sheets";
import type { JWT } from "google-auth-library";
import { http, https } from "../base/http.ts";
import type { Clock } from "../base/clock.ts";
import { between, mebibytes, minutes, type Ms } from "../base/units.ts";
import { failureOf, failureOfThrown, tokenRefusal, type Failure, type Pool, type Reply } from "./answers.ts";
import type { ServiceAccount } from "./credentials.ts";
import type { Outcome } from "./upstream.ts";

export interface GoogleOptions {
  /** Undefined: calls carry no token (an emulator that asks for none). */
  readonly account: ServiceAccount | undefined;
  /** In Google's place: `http://127.0.0.1:9000/`. */
  readonly sheetsEndpoint: string | undefined;
  readonly oauthEndpoint: string | undefined;
  /** Of a whole call, token included. */
  readonly timeout: Ms;
  readonly clock: Clock;
  /** Hears of every call that was made. */
  readonly called?: (pool: Pool, outcome: string, took: Ms) => void;
}

const MOST_BYTES = mebibytes(32);
const MOST_TOKEN_BYTES = 65_536;
const SCOPE = "https://www.googleapis.com/auth/spreadsheets";

/** What is the same for every request. `validateStatus`: answers are ours to judge, so that no error carries them. */
const policy = (timeout: Ms, agent: HttpAgent | undefined) => ({
  retry: false,
  timeout,
  redirect: "error" as const,
  maxContentLength: MOST_BYTES,
  responseType: "json" as const,
  validateStatus: () => true,
  ...(agent === undefined ? {} : { agent }),
});

/** The library's own agent closes a connection idle for 5 s; behind a proxy it must stay, because ours would go around it. */
function agentFor(endpoint: string | undefined): HttpAgent | undefined {
  const proxied = ["HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy"].some((name) => (process.env[name] ?? "") !== "");
  if (endpoint === undefined && proxied) return undefined;
  const options = { keepAlive: true, maxSockets: 4, maxFreeSockets: 2, timeout: minutes(2) };
  return endpoint?.startsWith("http:") === true ? new http.Agent(options) : new (https().Agent)(options);
}

interface Libraries {
  readonly sheets: sheets_v4.Sheets;
  readonly jwt: JWT | undefined;
}

/** What a single call adds to the policy. */
export interface CallOptions {
  readonly signal: AbortSignal;
  readonly headers?: { readonly authorization: string };
}
export type Send = (sheets: sheets_v4.Sheets, options: CallOptions) => Promise<unknown>;

/** Throws a token away that was refused, unless another call has renewed it meanwhile. The values are the library's own for "none yet". */
function forget(jwt: JWT, refused: string | undefined): void {
  if (jwt.credentials.access_token === refused) jwt.credentials = { refresh_token: "jwt-placeholder", expiry_date: 1 };
}

/** What a call is, beside its request: whose quota it uses, and how its answer is read. */
export interface CallKind<T, O> {
  readonly pool: Pool;
  /** The spreadsheet that it is about. */
  readonly about: string;
  /** Gives it up before its deadline. */
  readonly giveUp?: AbortSignal | undefined;
  /** @returns undefined when the answer is not what was asked for. */
  readonly read: (data: unknown) => T | undefined;
  /** What an answer that is not 200 means to this call alone; undefined: what it means to any. */
  readonly other?: (reply: Reply) => O | undefined;
}

/** Calls of one account. */
export class Connection {
  readonly #options: GoogleOptions;
  readonly #agents: { readonly sheets: HttpAgent | undefined; readonly oauth: HttpAgent | undefined };
  #libraries: Promise<Libraries> | undefined;
  #renewal: Promise<string | undefined> | undefined;

  constructor(options: GoogleOptions) {
    this.#options = options;
    this.#agents = { sheets: agentFor(options.sheetsEndpoint), oauth: agentFor(options.oauthEndpoint) };
  }

  close(): void {
    this.#agents.sheets?.destroy();
    this.#agents.oauth?.destroy();
  }

  /** One call within its deadline. A token that is refused is renewed and the call made again, once. */
  async call<T, O extends { readonly is: string } = never>(send: Send, kind: CallKind<T, O>): Promise<Outcome<T> | O> {
    const { clock, called } = this.#options;
    const from = clock.now();
    const outcome = await this.#call(send, kind);
    called?.(kind.pool, outcome.is, between(from, clock.now()));
    return outcome;
  }

  async #call<T, O>(send: Send, { pool, about, giveUp, read, other }: CallKind<T, O>): Promise<Outcome<T> | O> {
    const { timeout, clock } = this.#options;
    const deadline = AbortSignal.timeout(timeout);
    const signal = giveUp === undefined ? deadline : AbortSignal.any([deadline, giveUp]);
    try {
      const libraries = await (this.#libraries ??= this.#load());
      let reply = await this.#attempt(libraries, signal, send);
      if ("status" in reply && reply.status === 401 && libraries.jwt !== undefined) {
        forget(libraries.jwt, reply.token);
        reply = await this.#attempt(libraries, signal, send);
      }
      if (!("status" in reply)) return reply;
      if (reply.status !== 200)
        return (
          other?.(reply) ??
          failureOf(reply, { share: this.#share(about, pool === "write" && reply.status === 403), now: clock.wall(), pool })
        );
      const value = read(reply.data);
      if (value !== undefined) return { is: "ok", value };
      return { is: "malformed", message: "Google's answer does not have the shape that was asked for" };
    } catch (e) {
      return failureOfThrown(signal.aborted ? signal.reason : e, timeout);
    }
  }

  async #attempt({ sheets, jwt }: Libraries, signal: AbortSignal, send: Send): Promise<(Reply & { readonly token?: string }) | Failure> {
    if (jwt === undefined) return (await send(sheets, { signal })) as Reply;
    const token = await this.#token(jwt, signal);
    if (typeof token !== "string") return token;
    const { status, data } = (await send(sheets, { signal, headers: { authorization: `Bearer ${token}` } })) as Reply;
    return { status, data, token };
  }

  /** @returns a token that is good for some minutes, or why there is none. However many calls wait, one request is made for it. */
  async #token(jwt: JWT, signal: AbortSignal): Promise<string | Failure> {
    const late = new Promise<never>((_, reject) => signal.addEventListener("abort", () => reject(signal.reason as Error), { once: true }));
    this.#renewal ??= jwt
      .getAccessToken()
      .then(({ token }) => token ?? undefined)
      .finally(() => (this.#renewal = undefined));
    try {
      const token = await Promise.race([this.#renewal, late]);
      return token ?? { is: "malformed", message: "the token endpoint's answer has no token in it" };
    } catch (e) {
      const refusal = tokenRefusal(e, this.#options.account?.email ?? "");
      if (refusal === undefined) throw e;
      return refusal;
    }
  }

  async #load(): Promise<Libraries> {
    const { account, sheetsEndpoint, timeout } = this.#options;
    // By their default exports: a bundler knows no others of CommonJS.
    const [{ default: api }, { default: auth }] = await Promise.all([import("@googleapis/sheets"), import("google-auth-library")]);
    const root = sheetsEndpoint === undefined ? {} : { rootUrl: sheetsEndpoint };
    const client = api.sheets({ version: "v4", ...policy(timeout, this.#agents.sheets), ...root });
    if (account === undefined) return { sheets: client, jwt: undefined };
    const transporter = new auth.gaxios.Gaxios();
    transporter.interceptors.request.add({ resolved: async (request) => this.#tokenRequest(request) });
    const key = { email: account.email, key: account.privateKey, scopes: [SCOPE] };
    const jwt = new auth.JWT({ ...key, transporter, ...(account.keyId === undefined ? {} : { keyId: account.keyId }) });
    return { sheets: client, jwt };
  }

  /** The library knows one token endpoint, asks it three times and waits for ever: our policy, and our endpoint, instead. */
  #tokenRequest<R extends { url: URL }>(request: R): R {
    const { oauthEndpoint, timeout } = this.#options;
    const agent = this.#agents.oauth;
    if (oauthEndpoint !== undefined) {
      const endpoint = new URL(oauthEndpoint);
      request.url = endpoint.pathname === "/" ? new URL("/token", endpoint) : endpoint;
    }
    const ours = { retry: false, retryConfig: undefined, redirect: "error", size: MOST_TOKEN_BYTES, signal: AbortSignal.timeout(timeout) };
    return Object.assign(request, ours, agent === undefined ? {} : { agent });
  }

  /** @param isWrite a write was refused with 403. @returns what to do about it. */
  #share(spreadsheetId: string, isWrite: boolean): string {
    const { account } = this.#options;
    if (account === undefined) return `nobody may see the spreadsheet ${spreadsheetId} without a key`;
    if (isWrite) return `the service account can't write to the spreadsheet ${spreadsheetId}: share it as Editor with ${account.email}`;
    return `the service account can't see the spreadsheet ${spreadsheetId}: share it with ${account.email}`;
  }
}

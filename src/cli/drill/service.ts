/** The service that a drill runs against: what it says, what it is ordered, what it answers to anybody. */
import type { IncomingHttpHeaders, OutgoingHttpHeaders } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { http, https } from "../../base/http.ts";
import { DroverError } from "../../base/errors.ts";
import { ms, seconds, type Ms } from "../../base/units.ts";
import type { Settings } from "../../settings/table.ts";
import { ask, askStatus } from "../client.ts";
import type { Status } from "../snapshot.ts";

export interface Reply {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

interface RequestOptions {
  readonly headers?: OutgoingHttpHeaders;
  /** It is not cut by a Ctrl-C: what comes of it must be known. */
  readonly outlasts?: boolean;
}

type Place = Status["places"][number];

const POLL = ms(100);
const PATIENCE = seconds(30);
const LARGEST = 16 * 1_048_576;

export class Service {
  readonly settings: Settings;
  readonly url: string;
  readonly isDemo: boolean;
  /** Ctrl-C: every wait ends with it. */
  readonly interrupted: AbortSignal;
  /** While what was changed is put back, waits go on after a Ctrl-C. */
  isPatient = false;

  constructor(settings: Settings, first: Status, interrupted: AbortSignal) {
    const url = first.urls.find((one) => /^https?:/.test(one));
    if (url === undefined)
      throw new DroverError("DROVER_E_USAGE", `a drill needs an address that speaks HTTP over TCP, not ${first.urls.join(", ")}`);
    this.settings = settings;
    this.url = url.replace("://0.0.0.0:", "://127.0.0.1:").replace("://[::]:", "://[::1]:").replace(/\/$/, "");
    this.isDemo = first.demo;
    this.interrupted = interrupted;
  }

  status(): Promise<Status> {
    return askStatus(this.settings);
  }

  /** @throws when interrupted: before each step that changes something. */
  goOn(): void {
    if (!this.isPatient) this.interrupted.throwIfAborted();
  }

  /** Polls the status. @returns what `look` finds in it; undefined: nothing in time. @throws when interrupted. */
  async until<T>(within: Ms, look: (status: Status) => T | undefined | false): Promise<T | undefined> {
    const end = performance.now() + within;
    for (;;) {
      this.goOn();
      const found = look(await this.status());
      if (found !== undefined && found !== false) return found;
      if (performance.now() >= end) return undefined;
      await sleep(POLL, undefined, this.isPatient ? {} : { signal: this.interrupted });
    }
  }

  async pause(time: Ms): Promise<void> {
    await sleep(time, undefined, { signal: this.interrupted });
  }

  /** @throws when interrupted before it is done: then it is left to itself. */
  async orInterrupted<T>(work: Promise<T>): Promise<T> {
    const { interrupted } = this;
    const cut = Promise.withResolvers<never>();
    const hear = (): void => cut.reject(interrupted.reason);
    if (interrupted.aborted) hear();
    interrupted.addEventListener("abort", hear);
    try {
      return await Promise.race([work, cut.promise]);
    } finally {
      interrupted.removeEventListener("abort", hear);
    }
  }

  /** An order to the administration. @throws DroverError with its words when it refuses. */
  async admin(path: string, body: object = {}): Promise<void> {
    const { status, body: answer } = await ask(this.settings, "POST", `/api/admin/${path}`, { body });
    if (status !== 200)
      throw new DroverError("DROVER_E_USAGE", `${path} was refused: ${JSON.stringify((answer as { detail?: unknown }).detail)}`);
  }

  async capacity(): Promise<{ readonly current: number; readonly max: number; readonly status: string }> {
    const { body } = await ask(this.settings, "GET", "/api/admin/capacity");
    return (body as { capacity: { current: number; max: number; status: string } }).capacity;
  }

  get(path: string): Promise<Reply> {
    return this.request("GET", path);
  }

  /** One request on a connection of its own. @throws when no whole answer comes, and when interrupted. */
  request(method: string, path: string, body?: string, { headers = {}, outlasts = false }: RequestOptions = {}): Promise<Reply> {
    const given =
      body === undefined ? headers : { "content-type": "application/json", "content-length": Buffer.byteLength(body), ...headers };
    const cut = outlasts || this.isPatient ? {} : { signal: this.interrupted };
    const client = this.url.startsWith("https:") ? https() : http;
    return new Promise((resolve, reject) => {
      // A certificate is for the public name, not for this address of the daemon of this folder.
      const tls = { rejectUnauthorized: false };
      const options = { method, agent: false, timeout: PATIENCE, ...cut, ...tls, headers: { "user-agent": "drover-drill", ...given } };
      const req = client.request(`${this.url}${path}`, options, (res) => {
        const chunks: Buffer[] = [];
        let bytes = 0;
        res.on("data", (chunk: Buffer) => {
          bytes += chunk.length;
          if (bytes <= LARGEST) chunks.push(chunk);
        });
        res.on("error", reject);
        res.on("end", () =>
          resolve({
            status: res.statusCode ?? 0,
            headers: res.headers,
            body: Buffer.concat(chunks).toString(),
          }),
        );
      });
      req.on("timeout", () => req.destroy(new Error(`no answer within ${PATIENCE / 1_000} s`)));
      req.on("error", reject);
      req.end(body);
    });
  }
}

export const workersOf = ({ places }: Status): readonly Place[] => places.filter(({ role }) => role === "worker");

/** A worker that serves, whose loss leaves others: the last. */
export const victimOf = (status: Status): Place | undefined =>
  workersOf(status).findLast(({ state, child, successor }) => state === "ready" && child !== null && successor === null);

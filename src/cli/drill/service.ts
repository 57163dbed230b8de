/** The service that a drill runs against: what it says, what it is ordered, what it answers to anybody. */
import type { OutgoingHttpHeaders } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { DroverError } from "../../base/errors.ts";
import { ms, seconds, type Ms } from "../../base/units.ts";
import type { Settings } from "../../settings/table.ts";
import { ask, askStatus } from "../client.ts";
import { localUrl, request, type Reply } from "../../tools/http.ts";
import type { Status } from "../snapshot.ts";

interface AskOptions {
  readonly headers?: OutgoingHttpHeaders;
  /** It is not cut by a Ctrl-C: what comes of it must be known. */
  readonly outlasts?: boolean;
}

type Place = Status["places"][number];

const POLL = ms(100);
const PATIENCE = seconds(30);

export class Service {
  readonly settings: Settings;
  readonly url: string;
  readonly isDemo: boolean;
  /** Ctrl-C: every wait ends with it. */
  readonly interrupted: AbortSignal;
  /** While what was changed is put back, waits go on after a Ctrl-C. */
  isPatient = false;

  constructor(settings: Settings, first: Status, interrupted: AbortSignal) {
    const url = localUrl(first.urls);
    if (url === undefined)
      throw new DroverError("DROVER_E_USAGE", `a drill needs an address that speaks HTTP over TCP, not ${first.urls.join(", ")}`);
    this.settings = settings;
    this.url = url;
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

  /** One request on a connection of its own. @throws Error when no whole answer comes, and when interrupted. */
  request(method: string, path: string, body?: string, { headers = {}, outlasts = false }: AskOptions = {}): Promise<Reply> {
    return request(`${this.url}${path}`, {
      method,
      headers,
      timeout: PATIENCE,
      agent: "drover-drill",
      anyCertificate: true,
      ...(body === undefined ? {} : { body }),
      ...(outlasts || this.isPatient ? {} : { signal: this.interrupted }),
    });
  }
}

export const workersOf = ({ places }: Status): readonly Place[] => places.filter(({ role }) => role === "worker");

/** A worker that serves, whose loss leaves others: the last. */
export const victimOf = (status: Status): Place | undefined =>
  workersOf(status).findLast(({ state, child, successor }) => state === "ready" && child !== null && successor === null);

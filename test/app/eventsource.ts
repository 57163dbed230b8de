/** A client of event streams as the standard describes it, which remembers all it was told. */
import type { ClientRequest, IncomingHttpHeaders, OutgoingHttpHeaders } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { http } from "../../src/base/http.ts";

export interface Told {
  readonly id: string;
  readonly type: string;
  readonly data: { table: string | null; key?: string; version?: number; row?: Record<string, unknown>; reason?: string };
}

export interface SourceOptions {
  readonly headers?: OutgoingHttpHeaders;
  /** Comes back when the stream ends, as browsers do. */
  readonly again?: boolean;
  /** At most so long is waited before. */
  readonly patience?: number;
  /** What a browser would not do: makes nothing of what comes. */
  readonly idle?: boolean;
}

export class EventSource {
  readonly events: Told[] = [];
  /** Everything that came, as it came. */
  raw = "";
  lastId = "";
  retry = 0;
  comments = 0;
  /** Connections that were answered, by their X-Request-Id's first part: the worker's. */
  readonly workers: string[] = [];
  readonly statuses: number[] = [];
  headers: IncomingHttpHeaders = {};
  body = "";
  closed = false;
  ends = 0;
  failures: string[] = [];
  readonly #url: string;
  readonly #options: SourceOptions;
  #req: ClientRequest | undefined;
  #rest = "";
  #block: { id?: string; type: string; data: string[] } = { type: "message", data: [] };

  constructor(url: string, options: SourceOptions = {}) {
    this.#url = url;
    this.#options = options;
    this.#connect();
  }

  get open(): boolean {
    return this.workers.length > this.ends;
  }

  close(): void {
    this.closed = true;
    this.#req?.destroy();
  }

  #connect(): void {
    const resume = this.lastId === "" ? {} : { "last-event-id": this.lastId };
    let over = false;
    const end = (opened: boolean, why = ""): void => {
      if (over) return;
      over = true;
      if (opened) this.ends += 1;
      if (why !== "") this.failures.push(why);
      this.#rest = "";
      this.#block = { type: "message", data: [] };
      if (this.closed || this.#options.again !== true) return;
      void sleep(Math.min(this.retry, this.#options.patience ?? Infinity)).then(() => this.closed || this.#connect());
    };
    this.#req = http.get(this.#url, { agent: false, headers: { ...this.#options.headers, ...resume } }, (res) => {
      this.headers = res.headers;
      this.statuses.push(res.statusCode ?? 0);
      if (res.statusCode === 200) this.workers.push(String(res.headers["x-request-id"]).split("-")[0] ?? "");
      else res.on("data", (chunk: Buffer) => (this.body += chunk.toString()));
      if (this.#options.idle === true) return void res.pause();
      res.setEncoding("utf8");
      if (res.statusCode === 200) res.on("data", (text: string) => this.#read(text));
      res.on("close", () => end(res.statusCode === 200));
      res.on("error", () => end(res.statusCode === 200));
    });
    this.#req.on("error", (e) => end(false, e.message));
  }

  #read(text: string): void {
    this.raw += text;
    const lines = (this.#rest + text).split("\n");
    this.#rest = lines.pop() ?? "";
    for (const line of lines) this.#line(line);
  }

  #line(line: string): void {
    const [, name = "", value = ""] = /^([^:]*)(?:: ?(.*))?$/s.exec(line) ?? [];
    if (line === "") {
      const { id, type, data } = this.#block;
      this.#block = { type: "message", data: [] };
      if (id !== undefined) this.lastId = id;
      if (data.length > 0) this.events.push({ id: this.lastId, type, data: JSON.parse(data.join("\n")) as Told["data"] });
    } else if (line.startsWith(":")) this.comments += 1;
    else if (name === "id") this.#block.id = value;
    else if (name === "event") this.#block.type = value;
    else if (name === "data") this.#block.data.push(value);
    else if (name === "retry") this.retry = Number(value);
    else throw new Error(`a line of an event stream: ${JSON.stringify(line)}`);
  }
}

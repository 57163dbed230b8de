import type { IncomingMessage } from "node:http";
import { systemClock } from "../base/clock.ts";
import { pathOf } from "./target.ts";

const FLUSH_EVERY = 100;
const FLUSH_AT = 16_384;
/** What may stand in a JSON string as it is. */
const PLAIN = /^[\x20\x21\x23-\x5b\x5d-\x7e]*$/;

export interface AccessEntry {
  readonly req: IncomingMessage;
  readonly status: number;
  readonly millis: number;
  readonly client: string;
  readonly id: string;
}

/**
 * One line a request, in the form of the other log lines but written by hand and in batches: a JSON logger's line for each
 * request costs more than the request. The query is left out, because it may hold what must not be logged.
 */
export class AccessLog {
  readonly #write: (lines: string) => void;
  readonly #fixed: string;
  #lines = "";
  #timer: NodeJS.Timeout | undefined;
  #second = 0;
  #stamp = "";

  /** @param write appends whole lines to the log. */
  constructor(identity: { readonly slot: number; readonly generation: number }, write: (lines: string) => void) {
    this.#write = write;
    this.#fixed = `"level":"info","pid":${process.pid},"role":"worker","slot":${identity.slot},"generation":${identity.generation}`;
  }

  add({ req, status, millis, client, id }: AccessEntry): void {
    const path = quoted(pathOf(req.url));
    this.#lines +=
      `{"time":"${this.#now()}",${this.#fixed},"method":"${req.method}","path":${path},"status":${status},` +
      `"ms":${millis.toFixed(1)},"client":${quoted(client)},"id":${quoted(id)},"msg":"request"}\n`;
    if (this.#lines.length >= FLUSH_AT) this.flush();
    else this.#timer ??= setTimeout(() => this.flush(), FLUSH_EVERY).unref();
  }

  /** Writes what is held; called at the end of a worker's life too. */
  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const lines = this.#lines;
    this.#lines = "";
    if (lines !== "") this.#write(lines);
  }

  /** ISO time with milliseconds; the date part is made once a second. */
  #now(): string {
    const wall = systemClock.wall();
    const second = Math.floor(wall / 1_000);
    if (second !== this.#second) {
      this.#second = second;
      this.#stamp = new Date(second * 1_000).toISOString().slice(0, 20);
    }
    return `${this.#stamp}${String(wall - second * 1_000).padStart(3, "0")}Z`;
  }
}

function quoted(text: string): string {
  return PLAIN.test(text) ? `"${text}"` : JSON.stringify(text);
}

import type { Clock } from "../base/clock.ts";
import type { LineStream } from "../base/linestream.ts";
import { harmless } from "../base/log.ts";
import { seconds } from "../base/units.ts";
import { Restraint } from "./restraint.ts";

/** How often is told what had no line of its own. */
const SUMMARY = seconds(10);
/** Characters of a path: what is longer is nobody's who only wants an answer. */
const LONGEST = 1_024;
/** What may stand in a JSON string as it is. */
const PLAIN = /^[\x20\x21\x23-\x5b\x5d-\x7e]*$/;

/** One request and what became of it. */
export interface AccessEntry {
  readonly method: string;
  /** Without its query, which may hold what must not be logged. */
  readonly path: string;
  readonly status: number;
  readonly millis: number;
  /** Of the body that left. */
  readonly bytes: number;
  readonly client: string;
  readonly id: string;
  /** HIT, MISS or STALE. */
  readonly cache?: string | undefined;
  /** In one word, why it is no good answer. */
  readonly reason?: string | undefined;
}

export interface AccessParts {
  readonly slot: number;
  readonly generation: number;
  readonly clock: Clock;
  readonly lines: LineStream;
  /** Of the requests that get a line: 0 none, 1 all. */
  readonly share: number;
}

/**
 * One line a request, in the form of the other log lines but made by hand and written in batches: a JSON logger's line for each request
 * costs more than the request. Of requests that were refused or failed there is a line in any case, bounded by kind.
 */
export class AccessLog {
  readonly #clock: Clock;
  readonly #lines: LineStream;
  readonly #who: string;
  readonly #restraint = new Restraint();
  #share: number;
  #sampled = "";
  #summary: NodeJS.Timeout | undefined;
  #second = 0;
  #stamp = "";

  constructor({ slot, generation, clock, lines, share }: AccessParts) {
    this.#clock = clock;
    this.#lines = lines;
    this.#who = `"pid":${process.pid},"role":"worker","slot":${slot},"generation":${generation}`;
    this.#share = share;
    this.retune(share);
  }

  /** Another share from now on. */
  retune(share: number): void {
    this.#share = share;
    this.#sampled = share === 0 || share === 1 ? "" : `"share":${share},`;
  }

  /** Whether the next request is among those that get a line. */
  samples(): boolean {
    return this.#share === 1 || (this.#share > 0 && Math.random() < this.#share);
  }

  /** A line of a request that was chosen. */
  add(entry: AccessEntry): void {
    this.#push(entry, "info", this.#sampled, false);
  }

  /**
   * Whether the next trouble of its kind gets a line; if not, it is counted. Asked before the line is made: there may be thousands a second.
   * @param reason in one word
   */
  tells(status: number, reason: string | undefined): boolean {
    if (this.#share === 1 || this.#restraint.passes(`${status} ${reason}`, this.#clock.now())) return true;
    this.#summary ??= setTimeout(() => this.#summarise(), SUMMARY).unref();
    return false;
  }

  /**
   * A request that was refused or failed, and is told: its line is there though nobody asked for access lines.
   * @param failed it should have been answered: that is no refusal.
   */
  trouble(entry: AccessEntry, failed: boolean): void {
    this.#push(entry, failed ? "error" : "warn", "", true);
  }

  /** Resolves when everything is in the file: at the end of a worker's life. */
  async close(): Promise<void> {
    this.#summarise();
    await this.#lines.flushed();
  }

  #push(
    { method, path, status, millis, bytes, client, id, cache, reason }: AccessEntry,
    level: string,
    share: string,
    soon: boolean,
  ): void {
    const more = (cache === undefined ? "" : `"cache":${quoted(cache)},`) + (reason === undefined ? "" : `"reason":${quoted(reason)},`);
    this.#lines.push(
      `{"level":"${level}","time":"${this.#now()}",${this.#who},"method":${quoted(method)},"path":${quoted(path)},"status":${status},` +
        `"ms":${Math.round(millis * 10) / 10},"bytes":${bytes},${more}"client":${quoted(client)},"id":${quoted(id)},${share}"msg":"request"}\n`,
      soon,
    );
  }

  #summarise(): void {
    clearTimeout(this.#summary);
    this.#summary = undefined;
    for (const { kind, count } of this.#restraint.take()) {
      const [, status = "0", reason = kind] = /^(\d+) (.*)$/s.exec(kind) ?? [];
      const msg = `${count} more requests were answered ${status === "0" ? "so" : status} (${reason}) and have no line of their own`;
      const figures = `"status":${status},"reason":${quoted(reason)},"suppressed":${count},"msg":${quoted(msg)}`;
      this.#lines.push(`{"level":"warn","time":"${this.#now()}",${this.#who},${figures}}\n`, true);
    }
  }

  /** ISO time with milliseconds; the date part is made once a second. */
  #now(): string {
    const wall = this.#clock.wall();
    const second = Math.floor(wall / 1_000);
    if (second !== this.#second) {
      this.#second = second;
      this.#stamp = new Date(second * 1_000).toISOString().slice(0, 20);
    }
    return `${this.#stamp}${String(wall - second * 1_000).padStart(3, "0")}Z`;
  }
}

function quoted(text: string): string {
  const kept = text.length > LONGEST ? text.slice(0, LONGEST) : text;
  return PLAIN.test(kept) ? `"${kept}"` : harmless(JSON.stringify(kept));
}

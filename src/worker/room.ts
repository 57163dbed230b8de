import { freeDescriptors } from "../base/descriptors.ts";
import type { Logger } from "../base/log.ts";
import { ms } from "../base/units.ts";
import type { Turnstile } from "./pace.ts";

/** Kept free: when accept(2) finds none, libuv resets every queued client (uv__emfile_trick). */
const MARGIN = 16;
/** After an accept or a request: the application may open files of its own. */
const LOOK_WITHIN = ms(100);
/** At most one warning of a kind in so many milliseconds. */
const SAY_EVERY = 60_000;

export interface RoomParts {
  readonly log: Logger;
  /** The server that the worker serves with, and those that the application opened besides it. */
  readonly first: Turnstile;
  readonly further: Turnstile;
  /** How many connections the cap still allows. */
  unused(): number;
  /** The first server stopped accepting, or accepts again. */
  changed(): void;
  readonly free?: () => number;
}

/**
 * Stops accepting while the process may open few more files, so that other workers accept instead.
 * Further servers stop earlier: they leave a descriptor for each connection that the cap of the
 * first one still allows.
 */
export class Room {
  readonly #parts: RoomParts;
  readonly #measure: () => number;
  /** At the last look, less what was accepted since. */
  #free = 0;
  #held: "none" | "further" | "all" = "none";
  #saidAt = { all: -Infinity, further: -Infinity };
  #timer: NodeJS.Timeout | undefined;

  constructor(parts: RoomParts) {
    this.#parts = parts;
    this.#measure = parts.free ?? freeDescriptors;
  }

  /** Nothing is accepted. */
  get short(): boolean {
    return this.#held === "all";
  }

  /** A connection was accepted, by any server. */
  accepted(): void {
    this.#free -= 1;
    if (this.#held !== this.#needed) this.look();
    this.stirred();
  }

  /** A connection of the first server has gone. */
  left(): void {
    this.#free += 1;
  }

  /** Something happened that may open files. */
  stirred(): void {
    this.#timer ??= setTimeout(() => this.look(), LOOK_WITHIN).unref();
  }

  /** Counts, and stops accepting or accepts again. */
  look(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#free = this.#measure();
    const [before, now] = [this.#held, this.#needed];
    if (now !== "none") this.stirred();
    if (now === before) return;
    this.#held = now;
    const { first, further, changed } = this.#parts;
    if (now === "none") further.release();
    else further.hold();
    if (now === "all") first.hold();
    else if (before === "all") first.release();
    this.#say();
    if (now === "all" || before === "all") changed();
  }

  get #needed(): "none" | "further" | "all" {
    if (this.#free < MARGIN) return "all";
    return this.#free < MARGIN + this.#parts.unused() ? "further" : "none";
  }

  #say(): void {
    if (this.#held === "none" || performance.now() - this.#saidAt[this.#held] < SAY_EVERY) return;
    this.#saidAt[this.#held] = performance.now();
    const what = this.#held === "all" ? "it stops" : "its further servers stop";
    this.#parts.log.warn(
      { free: this.#free },
      `this worker may open only ${this.#free} more files: ${what} accepting, and other workers accept instead. ` +
        "Raise LimitNOFILE= (ulimit -n), or find what keeps files open (ls -l /proc/PID/fd)",
    );
  }
}

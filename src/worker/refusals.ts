import type { Clock } from "../base/clock.ts";
import { seconds, type Ms } from "../base/units.ts";
import type { Exchange } from "./exchange.ts";
import type { Refusal } from "./gate/stage.ts";
import { renderProblem } from "./problem.ts";
import type { Rendition } from "./rendition.ts";
import { WallTime } from "./walltime.ts";
import { chooseWrite, writeByNode, type Late } from "./writing.ts";

/**
 * Writes the gate's refusals. Under overload they are most of the answers, and what they cost is missing for the rest: so they stand ready
 * as prepared answers do.
 */
export class Refusals {
  readonly #constant: readonly string[];
  readonly #clock: Clock;
  readonly #wall: WallTime;
  #late: Late = [];
  readonly #renditions = new WeakMap<Refusal, Rendition>();

  constructor(clock: Clock, demo: boolean) {
    this.#constant = demo ? ["X-Drover-Demo", "1"] : [];
    this.#clock = clock;
    this.#wall = new WallTime(clock);
  }

  write(exchange: Exchange, refusal: Refusal): void {
    const { req, res } = exchange;
    const id = exchange.id();
    const { date } = this.#wall.at(this.#clock.now());
    if (this.#late[1] !== date) this.#late = ["Date", date];
    const write = res.getHeaderNames().length === 0 ? chooseWrite() : writeByNode;
    write(req, res, this.#renditionOf(refusal), this.#late, ["Retry-After", String(spread(refusal.retryAfter)), "X-Request-Id", id]);
  }

  #renditionOf(refusal: Refusal): Rendition {
    const known = this.#renditions.get(refusal);
    if (known !== undefined) return known;
    const { status, reason, detail } = refusal;
    const made = renderProblem(status, detail, ["X-Drover-Refused", reason, ...this.#constant]);
    this.#renditions.set(refusal, made);
    return made;
  }
}

/** Whole seconds, rounded up, and up to as much again, so that those refused together do not return together. */
function spread(retryAfter: Ms): number {
  const least = Math.max(1, Math.ceil(retryAfter / seconds(1)));
  return least + Math.floor(Math.random() * (least + 1));
}

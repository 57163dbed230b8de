/**
 * The webhook's queue: one at a time and in order, bounded; nobody waits for it. The master posts itself, so that an alert about the broker
 * needs no broker.
 *
 *   idle ─ next ─→ asked ─ 2xx ─→ idle
 *                    └─ refused, no answer ─→ waiting ─ a moment ─→ asked …, or lost
 */
import { createHmac } from "node:crypto";
import type { Clock } from "../../base/clock.ts";
import { after, ms, seconds, type Instant } from "../../base/units.ts";
import type { Post, Posted } from "./post.ts";
import type { DeliveryResult, Notice } from "./view.ts";

export interface Target {
  readonly url: string;
  readonly secret: string | undefined;
}

interface Parts {
  readonly clock: Clock;
  /** Makes one attempt, which ends within its time. It never rejects. */
  post(post: Post): Promise<Posted>;
  /** undefined: no webhook is set. */
  target(): Target | undefined;
  body(notice: Notice): string;
  /** What came of an attempt; `why` is for the log. */
  done(notice: Notice, result: DeliveryResult, why: string): void;
}

interface Waiting {
  readonly notice: Notice;
  tries: number;
  notBefore: Instant;
}

/** What waits at most; then the oldest is lost. */
export const MOST_WAITING = 100;
const WITHIN = seconds(5);
/** Waits between tries: together about a quarter of an hour. */
const BACKOFF = [1, 2, 5, 15, 60, 300, 600].map(seconds);

export interface Courier {
  post(notice: Notice): void;
  /** Call it every second or so, and it acts when something is due. */
  look(): void;
  readonly waiting: number;
}

export function createCourier({ clock, post, target, body, done }: Parts): Courier {
  const queue: Waiting[] = [];
  let asked: Waiting | undefined;

  const lose = (waiting: Waiting, why: string): void => {
    const at = queue.indexOf(waiting);
    if (at >= 0) queue.splice(at, 1);
    done(waiting.notice, "lost", why);
  };

  const failed = (waiting: Waiting, why: string): void => {
    asked = undefined;
    const wait = BACKOFF[waiting.tries - 1];
    if (wait === undefined) return lose(waiting, `given up after ${waiting.tries} tries: ${why}`);
    waiting.notBefore = after(clock.now(), wait);
    done(waiting.notice, "failed", why);
  };

  const attempt = (waiting: Waiting, { url, secret }: Target): void => {
    const text = body(waiting.notice);
    const headers = signed(text, waiting.notice.id, { secret, at: Math.floor(clock.wall() / 1_000) });
    waiting.tries += 1;
    asked = waiting;
    void post({ url, headers, body: text, within: WITHIN }).then((posted) => settle(waiting, posted));
  };

  const settle = (waiting: Waiting, { status, why }: Posted): void => {
    if (status < 200 || status >= 300) return failed(waiting, status === 0 ? why : `it answered ${status}${why === "" ? "" : `: ${why}`}`);
    asked = undefined;
    queue.splice(queue.indexOf(waiting), 1);
    done(waiting.notice, "ok", "");
    look();
  };

  const look = (): void => {
    if (asked !== undefined) return;
    const [next] = queue;
    const where = target();
    if (next === undefined) return;
    if (where === undefined) return queue.splice(0).forEach((waiting) => done(waiting.notice, "lost", "DROVER_ALERT_WEBHOOK is empty now"));
    if (next.notBefore <= clock.now()) attempt(next, where);
  };

  return {
    get waiting() {
      return queue.length;
    },
    look,
    post(notice) {
      if (target() === undefined) return;
      queue.push({ notice, tries: 0, notBefore: clock.now() });
      const oldest = queue.find((waiting) => waiting !== asked);
      if (queue.length > MOST_WAITING && oldest !== undefined) lose(oldest, `more than ${MOST_WAITING} alerts wait`);
      look();
    },
  };
}

/** The headers of a delivery. The signature covers the time, so that an old one can't be sent again. */
export function signed(
  body: string,
  id: string,
  { secret, at }: { readonly secret: string | undefined; readonly at: number },
): Readonly<Record<string, string>> {
  const plain = { "content-type": "application/json", "user-agent": "drover", "x-drover-delivery": id };
  if (secret === undefined) return plain;
  const mac = createHmac("sha256", secret).update(`${at}.${body}`).digest("hex");
  return { ...plain, "x-drover-signature": `t=${at},v1=${mac}` };
}

/** All that waiting and trying may take. */
export const LONGEST_DELIVERY = ms(BACKOFF.reduce((sum, wait) => sum + wait + WITHIN, 0));

/**
 * The webhook's queue. The broker makes each attempt, because the master never leaves the machine; trying again is decided here, so that a
 * delivery outlives the broker. One at a time and in order; bounded; nobody waits for it.
 *
 *   idle ─ next, if there is a broker ─→ asked ─ 2xx ─→ idle
 *                                          └─ refused, no answer, broker gone ─→ waiting ─ a moment ─→ asked …, or lost
 */
import { createHmac } from "node:crypto";
import type { Clock } from "../../base/clock.ts";
import type { FromChild, Post } from "../../base/protocol.ts";
import { after, ms, seconds, type Instant } from "../../base/units.ts";
import type { DeliveryResult, Notice } from "./view.ts";

export interface Target {
  readonly url: string;
  readonly secret: string | undefined;
}

type Answer = Extract<FromChild, { type: "posted" }>;

interface Parts {
  readonly clock: Clock;
  /** Hands an attempt to the broker. @returns false when there is none now. */
  send(post: Post): boolean;
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
/** The broker answers within that time, or it is gone. */
const ANSWERED_WITHIN = seconds(8);
/** Waits between tries: together about a quarter of an hour. */
const BACKOFF = [1, 2, 5, 15, 60, 300, 600].map(seconds);
/** While there is no broker it is looked for at this pace; the wait is no try. */
const LATER = seconds(1);

export interface Courier {
  post(notice: Notice): void;
  /** Call it every second or so, and it acts when something is due. */
  look(): void;
  posted(answer: Answer): void;
  readonly waiting: number;
}

export function createCourier({ clock, send, target, body, done }: Parts): Courier {
  const queue: Waiting[] = [];
  let asked: { readonly id: number; readonly of: Waiting; readonly by: Instant } | undefined;
  let lastId = 0;

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
    const now = clock.now();
    const text = body(waiting.notice);
    const id = (lastId += 1);
    const headers = signed(text, waiting.notice.id, { secret, at: Math.floor(clock.wall() / 1_000) });
    if (!send({ id, url, headers, body: text, within: WITHIN })) {
      waiting.notBefore = after(now, LATER);
      return;
    }
    waiting.tries += 1;
    asked = { id, of: waiting, by: after(now, ANSWERED_WITHIN) };
  };

  const look = (): void => {
    const now = clock.now();
    if (asked !== undefined && asked.by > now) return;
    if (asked !== undefined) failed(asked.of, "the broker did not say what came of it");
    const [next] = queue;
    const where = target();
    if (next === undefined) return;
    if (where === undefined) return queue.splice(0).forEach((waiting) => done(waiting.notice, "lost", "DROVER_ALERT_WEBHOOK is empty now"));
    if (next.notBefore <= now) attempt(next, where);
  };

  return {
    get waiting() {
      return queue.length;
    },
    look,
    post(notice) {
      if (target() === undefined) return;
      queue.push({ notice, tries: 0, notBefore: clock.now() });
      const oldest = queue.find((waiting) => waiting !== asked?.of);
      if (queue.length > MOST_WAITING && oldest !== undefined) lose(oldest, `more than ${MOST_WAITING} alerts wait`);
      look();
    },
    posted({ id, status, why }) {
      if (asked?.id !== id) return; // an answer that came too late: it was given up
      const { of } = asked;
      if (status < 200 || status >= 300) return failed(of, status === 0 ? why : `it answered ${status}${why === "" ? "" : `: ${why}`}`);
      asked = undefined;
      queue.splice(queue.indexOf(of), 1);
      done(of.notice, "ok", "");
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
export const LONGEST_DELIVERY = ms(BACKOFF.reduce((sum, wait) => sum + wait + ANSWERED_WITHIN, 0));

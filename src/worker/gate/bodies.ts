/**
 * Receives a request's body while the request has no place, so that a slow client occupies no place of the service. A body that the
 * application does not read is not received: what it refuses by the head costs one read.
 *
 *   fresh ─ the rest came with the head ─→ over: the gate goes on, and the application reads the body from memory
 *   fresh ─ the next turn of the loop ─→ offered: the gate goes on, and the application has the head
 *   offered ─ its last byte ─→ over: the application reads the body from memory
 *   offered ─ the application reads ─→ arriving: within the limits of its address and of the worker, else refused (429, 503)
 *   arriving ─ its last byte ─→ over: the application has the body once the request has a place again
 *   arriving ─ slower than the least rate ─→ refused (408)
 *   any ─ more bytes than this kind of request may have ─→ over: the application refuses it
 *   any ─ the answer is made, or the client leaves ─→ over
 */
import { addressKey } from "../../base/addresskey.ts";
import type { Clock } from "../../base/clock.ts";
import { classOf, type RequestClass } from "../../base/requestclass.ts";
import { after, kibibytes, mebibytes, ms, seconds, type Ms } from "../../base/units.ts";
import type { Exchange } from "../exchange.ts";
import { hasBody } from "../interim.ts";
import { BodyBudget, type BodyLimits, type Exceeded } from "./budget.ts";
import type { Refusal, Stage } from "./stage.ts";
import { Upload } from "./upload.ts";

export interface BodyRule extends BodyLimits {
  /** For the first bytes; each byte that arrives adds its share of a second. */
  readonly patience: Ms;
  /** Bytes a second. */
  readonly rate: number;
}

/** What a worker allows. @param connections its cap. */
export const bodyRule = (connections: number): BodyRule => ({
  worker: { arriving: Math.max(64, Math.ceil(connections / 2)), bytes: mebibytes(32) },
  address: { arriving: 32, bytes: mebibytes(8) },
  patience: seconds(10),
  rate: kibibytes(16),
});

/** A little more than the application takes: what is larger it refuses itself. */
const LARGEST = mebibytes(1);
const LARGEST_OF_A_FORM = kibibytes(8);
const FORMS: readonly RequestClass[] = ["login", "admin", "health"];
/** Their bodies mean nothing (RFC 9110 §9.3.1), and nothing reads them. */
const SAFE: readonly unknown[] = ["GET", "HEAD", "OPTIONS", "TRACE"];
const LOOK_EVERY = ms(500);

const refusal = (status: number, reason: string, detail: string, retryAfter: Ms): Refusal => ({ status, reason, detail, retryAfter });
const REFUSED: Readonly<Record<Exceeded, Refusal>> = {
  address: refusal(429, "bodies", "too many unfinished requests from this address. Send each request whole, then the next.", seconds(2)),
  worker: refusal(503, "bodies", "this worker is receiving as many requests as it can. Try again later.", seconds(2)),
};

export interface BodyParts {
  readonly rule: BodyRule;
  readonly clock: Clock;
  /** The client's address; undefined: a proxy does not name it. */
  addressOf(exchange: Exchange): string | undefined;
}

/** The gate's stage that waits for bodies. */
export function bodyStage({ rule, clock, addressOf }: BodyParts): Stage {
  const budget = new BodyBudget(rule);
  const arriving = new Set<Upload>();
  const late = refusal(
    408,
    "slow-body",
    `the body did not arrive within ${rule.patience / 1_000} s, at ${rule.rate} bytes a second`,
    seconds(1),
  );
  let timer: NodeJS.Timeout | undefined;
  const look = (): void => {
    const now = clock.now();
    for (const upload of arriving)
      if (after(upload.startedAt, ms(rule.patience + (upload.received / rule.rate) * 1_000)) <= now) upload.refuse(late);
    if (arriving.size > 0) return;
    clearInterval(timer);
    timer = undefined;
  };
  return {
    name: "body",
    covers: "application",
    admit(exchange) {
      const { req } = exchange;
      if (!hasBody(req) || SAFE.includes(req.method)) return undefined;
      const largest = FORMS.includes(classOf(req.method, req.url)) ? LARGEST_OF_A_FORM : LARGEST;
      if (Number(req.headers["content-length"] ?? 0) > largest) return undefined;
      const address = addressOf(exchange);
      const client = address === undefined ? undefined : addressKey(address);
      const upload: Upload = new Upload({
        exchange,
        client,
        largest,
        budget,
        refusals: REFUSED,
        now: () => clock.now(),
        asked: () => {
          arriving.add(upload);
          timer ??= setInterval(look, LOOK_EVERY).unref();
        },
        over: () => arriving.delete(upload),
      });
      setImmediate(() => upload.offer());
      return upload.head;
    },
  };
}

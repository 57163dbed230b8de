/** Begins no large work for clients that have not read what was made for them: what their connections hold is a worker's memory. */
import { addressKey } from "../../base/addresskey.ts";
import type { Clock } from "../../base/clock.ts";
import { classOf } from "../../base/requestclass.ts";
import { between, ms, seconds, type Instant } from "../../base/units.ts";
import type { Exchange } from "../exchange.ts";
import { MOST_UNREAD, Unread } from "../unread.ts";
import type { Refusal, Stage } from "./stage.ts";

/** A sum is good for so long: at most a few answers are made meanwhile. */
const FRESH = ms(50);
/** While more than MOST_UNREAD waits, an address for which more than this part of it waits gets no more; above twice as much no one does. */
const SHARE = 1 / 8;

const REFUSAL: Refusal = {
  status: 503,
  reason: "queue",
  detail: "too many answers of this worker wait for their clients to read them",
  retryAfter: seconds(2),
};

export interface UnreadParts {
  readonly clock: Clock;
  readonly inFlight: Iterable<Exchange>;
  /** Undefined: a proxy that does not name its clients. */
  addressOf(exchange: Exchange): string | undefined;
  readonly most?: number;
}

/** The gate's last stage. Only reads and exports make answers of more than a few kilobytes. */
export function unreadStage({ clock, inFlight, addressOf, most = MOST_UNREAD }: UnreadParts): Stage {
  let at: Instant | undefined;
  let unread = new Unread([]);
  const keyOf = (exchange: Exchange): string | undefined => {
    const address = addressOf(exchange);
    return address === undefined ? undefined : addressKey(address);
  };
  const total = (now: Instant): number => {
    if (at === undefined || between(at, now) >= FRESH) {
      unread = new Unread(inFlight);
      at = now;
    }
    return unread.bytes;
  };
  const own = (key: string): number => {
    let sum = 0;
    for (const exchange of inFlight) if (exchange.res.writableLength > 0 && keyOf(exchange) === key) sum += unread.weight(exchange);
    return sum;
  };
  return {
    name: "unread",
    covers: "application",
    admit(exchange) {
      const waiting = total(clock.now());
      if (waiting <= most) return undefined;
      const kind = classOf(exchange.req.method, exchange.req.url);
      if (kind !== "read" && kind !== "export") return undefined;
      if (waiting > 2 * most) return REFUSAL;
      const key = keyOf(exchange);
      return key !== undefined && own(key) > most * SHARE ? REFUSAL : undefined;
    },
  };
}

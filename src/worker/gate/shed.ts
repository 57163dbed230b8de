import type { Clock } from "../../base/clock.ts";
import { classOf } from "../../base/requestclass.ts";
import { after, between, ms, seconds, type Instant } from "../../base/units.ts";
import { LOOK_EVERY, Pressure } from "./pressure.ts";
import type { Refusal, Stage, Verdict } from "./stage.ts";
import type { Turns } from "./turns.ts";

/** The loop is looked at for so long after the last request that needs work; then there is nothing to turn away. */
const IDLE = seconds(2);
/** A worker that has just started is slow, beside others that start: nothing is concluded from that. */
const GRACE = seconds(10);

export const OVERLOAD: Refusal = {
  status: 503,
  reason: "overload",
  detail: "the service has more to do than it can in time: exports, then writes, then reads are turned away until it has caught up",
  retryAfter: seconds(3),
};

/** The gate's stage that turns requests away while the event loop is late, or work waits long for its turn: exports first, then writes, then reads that need work. */
export function shedStage(clock: Clock, turns: Pick<Turns, "wait">, chance: () => number = Math.random): Stage {
  const pressure = new Pressure();
  const judgesFrom = after(clock.now(), GRACE);
  let usedAt = clock.now();
  let timer: NodeJS.Timeout | undefined;
  const watch = (due: Instant): void => {
    timer = setTimeout(() => {
      const now = clock.now();
      if (now >= judgesFrom) pressure.look(ms(Math.max(0, between(due, now), turns.wait)), now);
      if (pressure.isOff && between(usedAt, now) > IDLE) timer = undefined;
      else watch(after(now, LOOK_EVERY));
    }, LOOK_EVERY).unref();
  };
  return {
    name: "class",
    covers: "application",
    admit({ req }): Verdict {
      usedAt = clock.now();
      if (timer === undefined) watch(after(usedAt, LOOK_EVERY));
      const kind = classOf(req.method, req.url);
      pressure.asked(kind);
      return !pressure.isOff && pressure.sheds(kind, chance()) ? OVERLOAD : undefined;
    },
  };
}

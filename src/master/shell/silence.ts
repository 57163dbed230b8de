import type { Logger } from "../../base/log.ts";
import { between, type Instant } from "../../base/units.ts";
import type { Master } from "../core/model.ts";
import type { Child } from "./children.ts";
import { sayHalfWay } from "./deaths.ts";

/**
 * The soft stage: a child whose loop has been silent for half the timeout is named once, while there is still time to look.
 * While fire is held the master itself was late, and the silence proves nothing.
 */
export function warnOfSilence(log: Logger, state: Master, children: ReadonlyMap<number, Child>, at: Instant): void {
  if (state.heldUntil !== undefined && at < state.heldUntil) return;
  for (const { incumbent } of state.places.values()) {
    const child = incumbent.is === "ready" ? children.get(incumbent.pid) : undefined;
    if (child?.lastBeatAt === undefined || child.warned) continue;
    const silent = between(child.lastBeatAt, at);
    if (silent < child.beatTimeout / 2) continue;
    child.warned = true;
    sayHalfWay(log, child, silent);
  }
}

/** What a start has done is undone when the daemon ends. */
import { messageOf } from "../base/errors.ts";
import type { Logger } from "../base/log.ts";

export type Undo = () => unknown;

/** Takes all steps, the last first. One that throws is told, and the others are done all the same. */
export function undoAll(steps: Undo[], log: Pick<Logger, "error">): void {
  for (const step of steps.splice(0).toReversed()) {
    try {
      step();
    } catch (error) {
      log.error({ err: error }, `something of the start is left behind: ${messageOf(error)}`);
    }
  }
}

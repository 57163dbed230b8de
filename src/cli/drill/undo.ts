/** What a drill has changed, and how it is put back: whatever ends it. */
import { messageOf } from "../../base/errors.ts";
import type { Reporter } from "./report.ts";

interface Change {
  readonly what: string;
  readonly back: () => Promise<unknown>;
}

export class Undo {
  #changes: Change[] = [];

  /** @param what holds again then: "500 slots again"; empty: nothing that needs saying. @param back may be called although nothing was changed in the end. */
  later(what: string, back: () => Promise<unknown>): void {
    this.#changes.push({ what, back });
  }

  /** The last change first. What can't be put back is said, and the rest is put back all the same. */
  async all(reporter: Reporter): Promise<void> {
    const changes = this.#changes.toReversed();
    this.#changes = [];
    const restored: string[] = [];
    for (const { what, back } of changes) {
      try {
        await back();
      } catch (error) {
        reporter.step(false, `not restored (${what}): ${messageOf(error)}`);
        continue;
      }
      if (what !== "") restored.push(what);
    }
    if (restored.length > 0) reporter.say(`restored: ${restored.join("; ")}`);
  }
}

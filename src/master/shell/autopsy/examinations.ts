/** Examinations of children: one at a time for each, by whoever asks. */
import type { Clock } from "../../../base/clock.ts";
import type { Logger } from "../../../base/log.ts";
import type { Ms } from "../../../base/units.ts";
import type { Event, Master, Pid } from "../../core/model.ts";
import { find } from "../../core/places.ts";
import type { Child } from "../children.ts";
import { createExaminer, type Examined } from "./examiner.ts";

interface Parts {
  readonly log: Logger;
  readonly clock: Clock;
  readonly children: ReadonlyMap<number, Child>;
  state(): Master;
  feed(event: Omit<Extract<Event, { type: "report" }>, "at">): void;
}

export interface Examinations {
  /** Looks inside a child from outside; the caller releases it, or kills it. @returns undefined when there is no such child. */
  look(pid: Pid, budget: Ms): Promise<Examined> | undefined;
  /** An autopsy, then the core hears the verdict. A child that has beaten meanwhile is not killed: it goes on. */
  examine(pid: Pid, budget: Ms): void;
}

export function createExaminations({ log, clock, children, state, feed }: Parts): Examinations {
  const examiner = createExaminer(log);
  const look = (pid: Pid, budget: Ms): Promise<Examined> | undefined => {
    const child = children.get(pid);
    if (child === undefined) return undefined;
    const { inspectable, handlesSignal, output } = child;
    const signal = (name: "SIGUSR1"): void => void child.process.kill(name);
    child.looking ??= examiner
      .examine({ pid, inspectable, handlesSignal, signal, awaitInspector: (take) => output.awaitInspector(take) }, budget)
      .then((found) => ({ ...found, release: () => releaseOf(child, found) }))
      .finally(() => (child.looking = undefined));
    return child.looking;
  };

  /** A child whose inspector stays open is replaced: a local process that connects to it may take it over. */
  const releaseOf = async (child: Child, found: Examined): Promise<boolean> => {
    const { pid, place } = child;
    const isClosed = await found.release();
    if (!isClosed && children.get(pid) === child && find(state(), pid)?.child.is !== "killed") {
      child.exposed = true;
      log.warn({ place, child: pid }, `the debugger of ${place} can't be closed: it is replaced as soon as possible`);
    }
    return isClosed;
  };
  return {
    look,
    examine(pid, budget) {
      const child = children.get(pid);
      void look(pid, budget)?.then((found) => {
        if (child === undefined || children.get(pid) !== child) return;
        child.found = found;
        child.foundAt = clock.now();
        feed({ type: "report", pid, verdict: found.text, starved: found.verdict === "starved" });
        if (find(state(), pid)?.child.is === "killed") return;
        child.found = undefined;
        void found.release();
      });
    },
  };
}

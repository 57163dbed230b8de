/**
 * Examines a silent process from outside before it is killed, or a living one on demand. It never throws and never blocks the
 * master's loop; two at a time are taken inside, and who is still waiting when half its time is over is judged by /proc alone.
 */
import { messageOf } from "../../../base/errors.ts";
import type { Logger } from "../../../base/log.ts";
import { ms, type Ms } from "../../../base/units.ts";
import { CLOSED_WITHIN, closeInspector } from "./closing.ts";
import { findings, type Findings, type Untold } from "./findings.ts";
import { isHeld, isRunning, lookTwice, type Looks } from "./looks.ts";
import { hungerOf, patience } from "./patience.ts";
import { lookInside, type Inside } from "./stack.ts";

/** A process to examine: the master's own child, not reaped yet, so that its pid can't be another's. */
export interface Subject {
  readonly pid: number;
  /** It was started with an inspector to open: without one SIGUSR1 would do nothing, or kill. */
  readonly inspectable: boolean;
  /** Its application handles SIGUSR1: the signal is the application's, and opens nothing. */
  readonly handlesSignal?: boolean;
  awaitInspector(take: (address: string) => void): () => void;
  signal(signal: "SIGUSR1"): void;
}

export interface Examiner {
  /** @returns within `budget`; or within 9 s where the machine is so busy that the process could not answer before. */
  examine(subject: Subject, budget: Ms): Promise<Examined>;
}

export interface Examined extends Findings {
  /**
   * The process lives on: it is resumed, and its inspector closed, also one that opens only now. Until then it may be held where it was found.
   * @returns false when the inspector is not confirmed to be closed within 30 s: then the process is to be replaced.
   */
  release(): Promise<boolean>;
}

const AT_ONCE = 2;
/** Of the budget, for what comes after the answer. */
const SPARE = 60;

export function createExaminer(log: Logger): Examiner {
  let inside = 0;
  const waiting: (() => void)[] = [];

  /** Takes one of the two turns. @returns false when the signal came first. */
  const turn = async (signal: AbortSignal): Promise<boolean> => {
    if (inside < AT_ONCE) {
      inside += 1;
      return true;
    }
    if (signal.aborted) return false;
    const { promise, resolve } = Promise.withResolvers<void>();
    waiting.push(resolve);
    signal.addEventListener("abort", () => resolve(), { once: true });
    await promise;
    const at = waiting.indexOf(resolve);
    if (at >= 0) waiting.splice(at, 1);
    return await turn(signal);
  };

  const ask = async (inspector: Inspector, subject: Subject, looks: Looks, budget: Ms): Promise<Inside | "silent"> => {
    let hasAnswered = false;
    const isBusy = isRunning(looks);
    const isHungry = hungerOf(subject.pid);
    const until = patience(budget, () => hasAnswered || (isBusy && isHungry())); // a conversation that has begun is a matter of time alone
    try {
      const address = await inspector.within(until.signal);
      hasAnswered = true;
      return address === undefined ? "silent" : await lookInside(address, until.signal, isBusy);
    } catch (error) {
      log.debug({ child: subject.pid, err: error }, `the examination ended early: ${messageOf(error)}`);
      return "silent";
    } finally {
      until.end();
      inside -= 1;
      waiting.shift()?.();
    }
  };

  return {
    async examine(subject, budget) {
      const began = performance.now();
      const half = timer(budget / 2);
      try {
        const looks = await lookTwice(subject.pid);
        if (subject.inspectable && subject.handlesSignal === true) return examined(looks, "handled");
        if (isHeld(looks.later) || !subject.inspectable || !(await turn(half.signal))) return examined(looks, "unasked");
        const inspector = openInspector(subject);
        const inside = await ask(inspector, subject, looks, ms(budget - SPARE - (performance.now() - began)));
        return examined(looks, inside, inspector);
      } finally {
        half.cancel();
      }
    },
  };
}

const examined = (looks: Looks, inside: Inside | Untold, inspector?: Inspector): Examined => ({
  ...findings(looks, inside),
  release: async () => {
    if (typeof inside !== "string") await inside.release();
    return inspector === undefined || (await inspector.close());
  },
});

/** A process's inspector, which was asked to open. */
interface Inspector {
  /** @returns undefined when it does not open before the signal fires: its loop is in native code, or has no CPU. */
  within(until: AbortSignal): Promise<string | undefined>;
  /** Waits until it has opened, and closes it. @returns whether it is confirmed to be closed. */
  close(): Promise<boolean>;
}

/** Sends SIGUSR1; the address comes on its stderr, however late. */
function openInspector(subject: Subject): Inspector {
  const opened = Promise.withResolvers<string>();
  const end = subject.awaitInspector(opened.resolve);
  subject.signal("SIGUSR1");
  const within = async (until: AbortSignal): Promise<string | undefined> => {
    const aborted = Promise.withResolvers<undefined>();
    until.addEventListener("abort", () => aborted.resolve(undefined), { once: true });
    return await Promise.race([opened.promise, aborted.promise]);
  };
  return {
    within,
    async close() {
      const address = await within(AbortSignal.timeout(CLOSED_WITHIN));
      end();
      return address !== undefined && (await closeInspector(address));
    },
  };
}

function timer(wait: number): { readonly signal: AbortSignal; cancel(): void } {
  const controller = new AbortController();
  const handle = setTimeout(() => controller.abort(), wait);
  return { signal: controller.signal, cancel: () => clearTimeout(handle) };
}

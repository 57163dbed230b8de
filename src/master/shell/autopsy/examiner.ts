/**
 * Examines a silent process from outside before it is killed, or a living one on demand. It never throws and never blocks the
 * master's loop; two at a time are taken inside, and who is still waiting when half its time is over is judged by /proc alone.
 */
import { messageOf } from "../../../base/errors.ts";
import type { Logger } from "../../../base/log.ts";
import { ms, type Ms } from "../../../base/units.ts";
import { findings, type Findings } from "./findings.ts";
import { isHeld, isRunning, lookTwice, type Looks } from "./looks.ts";
import { hungerOf, patience } from "./patience.ts";
import { lookInside, type Inside } from "./stack.ts";

/** A process to examine: the master's own child, not reaped yet, so that its pid can't be another's. */
export interface Subject {
  readonly pid: number;
  /** It was started with an inspector to open: without one SIGUSR1 would do nothing, or kill. */
  readonly inspectable: boolean;
  awaitInspector(take: (address: string) => void): () => void;
  signal(signal: "SIGUSR1"): void;
}

export interface Examiner {
  /** @returns within `budget`; or within 9 s where the machine is so busy that the process could not answer before. */
  examine(subject: Subject, budget: Ms): Promise<Examined>;
}

export interface Examined extends Findings {
  /** The process lives on: it is resumed, and its inspector closed. Until then it may be held where it was found. */
  release(): Promise<void>;
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

  const ask = async (subject: Subject, looks: Looks, budget: Ms): Promise<Inside | "silent"> => {
    let hasAnswered = false;
    const isBusy = isRunning(looks);
    const isHungry = hungerOf(subject.pid);
    const until = patience(budget, () => hasAnswered || (isBusy && isHungry())); // a conversation that has begun is a matter of time alone
    try {
      const address = await inspectorOf(subject, until.signal);
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
        if (isHeld(looks.later) || !subject.inspectable || !(await turn(half.signal))) return examined(looks, "unasked");
        return examined(looks, await ask(subject, looks, ms(budget - SPARE - (performance.now() - began))));
      } finally {
        half.cancel();
      }
    },
  };
}

const examined = (looks: Looks, inside: Inside | "silent" | "unasked"): Examined => ({
  ...findings(looks, inside),
  release: async () => void (typeof inside !== "string" && (await inside.release())),
});

/** Sends SIGUSR1 and waits for the address on its stderr. @returns undefined when it does not come in time: its loop is in native code. */
async function inspectorOf(subject: Subject, until: AbortSignal): Promise<string | undefined> {
  const { promise, resolve } = Promise.withResolvers<string | undefined>();
  until.addEventListener("abort", () => resolve(undefined), { once: true });
  const end = subject.awaitInspector(resolve);
  try {
    subject.signal("SIGUSR1");
    return await promise;
  } finally {
    end();
  }
}

function timer(wait: number): { readonly signal: AbortSignal; cancel(): void } {
  const controller = new AbortController();
  const handle = setTimeout(() => controller.abort(), wait);
  return { signal: controller.signal, cancel: () => clearTimeout(handle) };
}

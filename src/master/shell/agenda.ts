import type { Clock } from "../../base/clock.ts";
import { messageOf } from "../../base/errors.ts";
import { after, between, ms, type Instant, type Ms } from "../../base/units.ts";

/** Something the master does every so often, from its one timer. */
interface Job {
  readonly every: Ms;
  readonly run: () => void;
  due: Instant;
  /** What it has thrown at its last time. */
  fault: string | undefined;
}

interface Parts {
  readonly clock: Clock;
  deadline(): Instant | undefined;
  tick(late: Ms): void;
  failed(error: unknown): void;
}

export interface Agenda {
  /** Runs a job every `every`, first after `every`. A job must not block; one that throws is told, and runs again at its next time. */
  every(every: Ms, run: () => void): void;
  /** Arms the timer for the least of the jobs' times and `deadline`. Call it after anything that moved a deadline. */
  arm(): void;
  stop(): void;
}

/** Late by more than this, the loop was busy or the machine asleep: messages that wait are read before anyone is judged. */
const LATE = ms(50);

/**
 * The master's one timer.
 * @param parts.deadline the next deadline of the supervisor's state, if any.
 * @param parts.tick called when a deadline may have passed; `late` says by how much the timer missed its time.
 * @param parts.failed a job has thrown: told once for as long as it throws the same.
 */
export function createAgenda({ clock, deadline, tick, failed }: Parts): Agenda {
  const jobs: Job[] = [];
  let timer: NodeJS.Timeout | undefined;
  let armedFor: Instant | undefined;
  let stopped = false;

  const next = (): Instant | undefined =>
    [deadline(), ...jobs.map((job) => job.due)].reduce(
      (least, at) => (at === undefined || (least !== undefined && least <= at) ? least : at),
      undefined,
    );

  const attempt = (job: Job): void => {
    try {
      job.run();
      job.fault = undefined;
    } catch (error) {
      const fault = messageOf(error);
      if (fault !== job.fault) failed(error);
      job.fault = fault;
    }
  };

  const fire = (late: Ms): void => {
    if (stopped) return;
    const now = clock.now();
    for (const job of jobs) {
      if (job.due > now) continue;
      job.due = after(now, job.every);
      attempt(job);
    }
    tick(late);
    arm();
  };

  const wake = (): void => {
    if (armedFor === undefined) return;
    const late = ms(Math.max(0, between(armedFor, clock.now())));
    armedFor = undefined;
    // setImmediate runs after the poll phase, in which the beats that arrived meanwhile are read.
    if (late > LATE) setImmediate(() => fire(late));
    else fire(late);
  };

  const arm = (): void => {
    const at = stopped ? undefined : next();
    if (at === armedFor) return;
    clearTimeout(timer);
    armedFor = at;
    if (at !== undefined) timer = setTimeout(wake, Math.max(0, Math.ceil(between(clock.now(), at))));
  };

  return {
    every(every, run) {
      jobs.push({ every, run, due: after(clock.now(), every), fault: undefined });
      arm();
    },
    arm,
    stop() {
      stopped = true;
      clearTimeout(timer);
    },
  };
}

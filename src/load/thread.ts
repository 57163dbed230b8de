/** A generator's thread: users or arrivals, and nothing else, so that neither the screen nor a report makes anybody wait. */
import { performance } from "node:perf_hooks";
import { parentPort, workerData } from "node:worker_threads";
import { Arrivals } from "./arrivals.ts";
import { Crowd } from "./crowd.ts";
import { along } from "./pacing.ts";
import type { FromThread, ThreadOptions, ThreadReport, ThreadStep, ToThread } from "./messages.ts";
import type { Scene } from "./user.ts";
import { UnderWay } from "./underway.ts";
import { Window } from "./window.ts";

const port = parentPort ?? fail("the generator's thread is no program of its own");
function fail(why: string): never {
  throw new Error(why);
}
const say = (message: FromThread): void => port.postMessage(message);

const options = workerData as ThreadOptions;
const RAMP_EVERY = 100;
const SECOND = 1_000;
const wait = (millis: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, millis));

let window: Window | undefined;
const underWay = new UnderWay();
let cut = Promise.withResolvers<void>();
/** Whoever interrupts a run waits no longer for what is under way. */
const AFTER_CUT = 1_000;
let numbers = 0;
const scene: Scene = {
  ...options,
  sent: (request) => underWay.begin(request),
  mayAsk: () => window?.isFull !== true,
  number: () => `${options.run}-${options.thread}-${(numbers += 1)}`,
};
const crowd = new Crowd(scene, options);
const arrivals = new Arrivals(scene, options, options.connections);

/** Users or a rate on their straight line, until told to stop. */
function follow({ model, from, to, holdMs }: ThreadStep): () => void {
  const begun = performance.now();
  const set = (): void => {
    const value = along({ from, to, overMs: from === to ? 0 : holdMs }, performance.now() - begun);
    if (model === "closed") crowd.resize(Math.round(value));
    else arrivals.retune(value);
  };
  set();
  if (from === to) return () => {};
  const timer = setInterval(set, RAMP_EVERY);
  return () => {
    clearInterval(timer);
    set();
  };
}

const cutOr = (other: Promise<void>): Promise<void> => Promise.race([other, cut.promise]);

async function step(task: ThreadStep): Promise<void> {
  cut = Promise.withResolvers<void>();
  let isCut = false;
  void cut.promise.then(() => (isCut = true));
  arrivals.drop();
  const open = new Window(Infinity, task.most);
  underWay.count(open);
  const warming = task.warmMs > 0 ? follow(task) : undefined;
  if (warming !== undefined) await cutOr(wait(task.warmMs));
  if (isCut) return say({ type: "done", tally: open.tally.takeDelta(), report: NOTHING });
  arrivals.forget();
  const begun = performance.now();
  const busy = performance.eventLoopUtilization();
  window = open;
  underWay.open(begun);
  say({ type: "open" });
  const settle = warming ?? follow(task); // without a warm-up the first request of all counts
  const second = (): void => say({ type: "second", tally: open.tally.takeDelta() });
  const seconds = setInterval(second, SECOND);
  let half = 0;
  const halfTime = setTimeout(() => (half = backlog()), task.holdMs / 2);
  await cutOr(Promise.race([wait(task.holdMs), open.full]));
  clearTimeout(halfTime);
  const measured = (): ThreadReport => ({
    ms: performance.now() - begun,
    elu: performance.eventLoopUtilization(busy).utilization,
    connections: arrivals.peak,
    capped: arrivals.capped,
    unsent: Math.round(arrivals.behind),
    backlog: { half, end: backlog() },
    unanswered: 0,
  });
  const counted = task.most !== Infinity; // until the last answer, as ab has it
  const report = counted ? undefined : measured();
  second(); // what comes late is told apart
  say({ type: "close" });
  settle();
  arrivals.drop(); // they are counted as unsent
  const resting = task.rests ? Promise.all([crowd.rest(), arrivals.rest()]) : undefined;
  const late = cut.promise.then(() => wait(AFTER_CUT));
  await Promise.race([Promise.all([open.close(), resting]), late]);
  clearInterval(seconds);
  window = undefined;
  underWay.count(undefined);
  say({ type: "done", tally: open.tally.takeDelta(), report: { ...(report ?? measured()), unanswered: open.outstanding } });
}

/** The step was cut in its warm-up: no window was ever open. */
const NOTHING: ThreadReport = { ms: 0, elu: 0, connections: 0, capped: false, unsent: 0, backlog: { half: 0, end: 0 }, unanswered: 0 };

/** Requests that were to be sent and have no answer. */
const backlog = (): number => underWay.size + arrivals.behind;

port.on("message", (message: ToThread) => {
  if (message.do === "cut") cut.resolve();
  else if (message.do === "step") void step(message.step);
  else void Promise.all([crowd.end(), arrivals.end()]).then(() => say({ type: "ended" }));
});

import { performance } from "node:perf_hooks";
import { getHeapStatistics } from "node:v8";
import { residentMemory } from "./descriptors.ts";
import { watchNode, type BeatFigures } from "./figures.ts";
import type { HistogramDelta } from "./histogram.ts";
import type { MasterPort } from "./port.ts";
import type { Counters } from "./counters.ts";
import type { UpstreamReport } from "./upstreamreport.ts";
import type { ByClass } from "./requestclass.ts";
import type { RequestInFlight } from "./requests.ts";
import type { SessionStoreReport } from "./sessionstore.ts";
import type { SlotsState } from "./slots.ts";
import { watchLoop } from "./loopdelay.ts";
import { ms, type Ms } from "./units.ts";

/** What only the child knows; read at every beat. */
export interface Vitals {
  inFlight(): number;
  connections(): number;
  full(): boolean;
  counters(): Counters;
  latency(): HistogramDelta;
  upstream?(): UpstreamReport | undefined;
  slots?(): SlotsState | undefined;
  /** See Beat.tokensUsed. */
  tokensUsed?(): number;
  sessionStore?(): SessionStoreReport | undefined;
  /** Counts by name, since the child started, and durations since the last call. */
  counts?(): BeatFigures["counts"];
  spans?(): BeatFigures["spans"];
  byClass?(): ByClass;
  /** The oldest requests in flight. */
  requests?(): readonly RequestInFlight[];
  /** See Beat.brokerLost. */
  brokerLost?(): boolean;
}

/** Calls of `catchUp` between two looks at the clock. */
const LOOK_EVERY = 128;

/** Node's own state costs more than a beat, and changes slowly. Milliseconds. */
const NODE_EVERY = 5_000;

export interface Beats {
  stop(): void;
  /** Sends a beat that is overdue. Called for each small piece of work: a turn of the loop may hold many, and no timer fires before it ends. */
  catchUp(): void;
}

/** Sends a beat at once and then every `every`, from a timer of this process's own loop: a wedged loop must fall silent. */
export function startBeat(port: MasterPort, every: Ms, vitals: Vitals): Beats {
  let seq = 0;
  let due = performance.now();
  let sentAt = due;
  let pieces = 0;
  const loop = watchLoop();
  const node = watchNode(loop);
  let toldAt = -Infinity;
  const figures = (now: number): BeatFigures => {
    const due = now - toldAt >= NODE_EVERY;
    if (due) toldAt = now;
    return { counts: vitals.counts?.() ?? {}, spans: { ...node.pauses(), ...vitals.spans?.() }, ...(due ? { node: node.figures() } : {}) };
  };
  let previous = performance.eventLoopUtilization();
  const beat = (now: number): void => {
    const delay = ms(Math.max(0, now - due));
    sentAt = now;
    const current = performance.eventLoopUtilization();
    const elu = performance.eventLoopUtilization(current, previous).utilization;
    previous = current;
    const rss = residentMemory();
    const report = vitals.upstream?.();
    const slots = vitals.slots?.();
    const tokensUsed = vitals.tokensUsed?.();
    const sessionStore = vitals.sessionStore?.();
    const delayP99 = loop.p99();
    const requests = vitals.requests?.() ?? [];
    const classes = requests.length === 0 ? undefined : vitals.byClass?.();
    port.send({
      type: "beat",
      seq: (seq += 1),
      inFlight: vitals.inFlight(),
      connections: vitals.connections(),
      elu: Number.isFinite(elu) ? elu : 0,
      delay,
      ...(delayP99 === undefined ? {} : { delayP99 }),
      heap: getHeapStatistics().used_heap_size,
      ...(rss === undefined ? {} : { rss }),
      full: vitals.full(),
      counters: vitals.counters(),
      latency: vitals.latency(),
      figures: figures(now),
      ...(report === undefined ? {} : { upstream: report }),
      ...(slots === undefined ? {} : { slots }),
      ...(tokensUsed === undefined ? {} : { tokensUsed }),
      ...(sessionStore === undefined ? {} : { sessionStore }),
      ...(classes === undefined ? {} : { byClass: classes }),
      ...(requests.length === 0 ? {} : { requests }),
      ...(vitals.brokerLost?.() === true ? { brokerLost: true as const } : {}),
    });
  };
  const tick = (): void => {
    const now = performance.now();
    beat(now);
    due = now + every;
  };
  tick();
  const timer = setInterval(tick, every);
  return {
    stop() {
      clearInterval(timer);
      loop.stop();
      node.stop();
    },
    catchUp() {
      if ((pieces += 1) % LOOK_EVERY !== 0) return;
      const now = performance.now();
      if (now - sentAt >= every) beat(now);
    },
  };
}

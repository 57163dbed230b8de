/**
 * What a child tells in its beat beside its counters: counts by name, durations, and how its Node.js is. A worker runs
 * application code, so names are of a few families, of a plain alphabet, and few.
 */
import { PerformanceObserver } from "node:perf_hooks";
import { getHeapSpaceStatistics, getHeapStatistics } from "node:v8";
import { count, record } from "./fields.ts";
import { Histogram, type HistogramDelta } from "./histogram.ts";
import type { LoopLag, LoopWatch } from "./loopdelay.ts";

/**
 * `shed.full`: refusals by their X-Drover-Refused; `calls.read.ok`: calls to Google by pool and outcome; `asked.monitor`: requests of
 * external monitors for the health.
 */
export const COUNT_FAMILIES = ["shed", "calls", "asked"] as const;
export type CountFamily = (typeof COUNT_FAMILIES)[number];

/** Durations. `queue`: waits at the gate; `sheet`: from a write's acceptance to the sheet; `call`: of calls to Google; the rest: pauses for garbage. */
export const SPANS = ["queue", "sheet", "call", "gc.major", "gc.minor", "gc.incremental", "gc.weakcb"] as const;
export type SpanName = (typeof SPANS)[number];

/** One of V8's heap spaces, in bytes. */
export interface HeapSpace {
  readonly name: string;
  readonly size: number;
  readonly used: number;
  readonly available: number;
}

/** A process as it sees itself. Bytes; the lag in milliseconds. */
export interface NodeFigures {
  readonly heapTotal: number;
  readonly heapUsed: number;
  readonly external: number;
  readonly spaces: readonly HeapSpace[];
  readonly lag: LoopLag;
  /** What keeps the loop alive, by kind: TCPSocketWrap, Timeout … */
  readonly resources: Readonly<Record<string, number>>;
}

/** `counts` are monotonic since the child started; `spans` are what came since its last beat; `node` comes every few seconds. */
export interface BeatFigures {
  readonly counts: Readonly<Record<string, number>>;
  readonly spans: Readonly<Partial<Record<SpanName, HistogramDelta>>>;
  readonly node?: NodeFigures;
}

/** Names of one beat at most. */
export const MOST_NAMES = 128;
const NAME = /^(?:shed|calls|asked)\.[a-z0-9][a-z0-9.-]{0,47}$/;
/** Whether a count may be of this name. */
export const isCountName = (name: string): boolean => NAME.test(name);

/** @param delta reads a histogram's delta. @returns undefined for what is none: then the whole beat is malformed. */
export function readFigures(v: unknown, delta: (v: unknown) => HistogramDelta | undefined): BeatFigures | undefined {
  if (!record(v) || !record(v["counts"]) || !record(v["spans"])) return undefined;
  const counts = Object.entries(v["counts"]);
  if (counts.length > MOST_NAMES || !counts.every(([name, n]) => isCountName(name) && count(n))) return undefined;
  const spans: Partial<Record<SpanName, HistogramDelta>> = {};
  for (const name of SPANS) {
    if (v["spans"][name] === undefined) continue;
    const read = delta(v["spans"][name]);
    if (read === undefined) return undefined;
    spans[name] = read;
  }
  const node = v["node"] === undefined ? undefined : readNode(v["node"]);
  if (v["node"] !== undefined && node === undefined) return undefined;
  return { counts: Object.fromEntries(counts) as Record<string, number>, spans, ...(node === undefined ? {} : { node }) };
}

const LAG = ["min", "max", "mean", "stddev", "p50", "p90", "p99"] as const satisfies readonly (keyof LoopLag)[];
const MEMORY = ["heapTotal", "heapUsed", "external"] as const;
const MOST_KINDS = 32;
const word = (v: unknown): v is string => typeof v === "string" && /^[\w.-]{1,64}$/.test(v);

function readNode(v: unknown): NodeFigures | undefined {
  if (!record(v) || !MEMORY.every((name) => count(v[name]))) return undefined;
  const { lag, spaces, resources } = v;
  if (!record(lag) || !LAG.every((name) => count(lag[name]))) return undefined;
  if (!Array.isArray(spaces) || spaces.length > MOST_KINDS || !spaces.every(isSpace)) return undefined;
  if (!record(resources)) return undefined;
  const kinds = Object.entries(resources);
  if (kinds.length > MOST_KINDS || !kinds.every(([name, n]) => word(name) && count(n))) return undefined;
  return v as unknown as NodeFigures;
}

const isSpace = (v: unknown): boolean => record(v) && word(v["name"]) && ["size", "used", "available"].every((name) => count(v[name]));

/** V8's kinds of collection, by node:perf_hooks' constants. */
const GC_KINDS: Readonly<Record<number, SpanName>> = { 1: "gc.minor", 2: "gc.minor", 4: "gc.major", 8: "gc.incremental", 16: "gc.weakcb" };

export interface NodeWatch {
  /** What this process is now. */
  figures(): NodeFigures;
  /** Pauses for garbage since the last call. */
  pauses(): Partial<Record<SpanName, HistogramDelta>>;
  stop(): void;
}

/** Watches this process's own Node.js. */
export function watchNode(loop: LoopWatch): NodeWatch {
  const spans = new Map<SpanName, Histogram>();
  const observer = new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) {
      const kind = GC_KINDS[(entry as { detail?: { kind?: number } }).detail?.kind ?? 0];
      if (kind === undefined) continue;
      const span = spans.get(kind) ?? new Histogram();
      spans.set(kind, span);
      span.record(entry.duration);
    }
  });
  observer.observe({ entryTypes: ["gc"] });
  return {
    figures: () => nodeFigures(loop.lag()),
    pauses: () => Object.fromEntries([...spans].map(([name, span]) => [name, span.takeDelta()] as const).filter(([, d]) => d.length > 0)),
    stop: () => observer.disconnect(),
  };
}

function nodeFigures(lag: LoopLag): NodeFigures {
  // Not process.memoryUsage(), which opens a file and throws without a free descriptor.
  const { total_heap_size: heapTotal, used_heap_size: heapUsed, external_memory: external } = getHeapStatistics();
  const inUse = getHeapSpaceStatistics().filter((space) => space.space_size > 0); // most are for what we don't do
  const spaces = inUse.map((space) => ({
    name: space.space_name.replace(/_space$/, ""),
    size: space.space_size,
    used: space.space_used_size,
    available: space.space_available_size,
  }));
  const resources: Record<string, number> = {};
  for (const kind of process.getActiveResourcesInfo()) resources[kind] = (resources[kind] ?? 0) + 1;
  return { heapTotal, heapUsed, external, spaces, lag, resources };
}

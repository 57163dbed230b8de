/** What the server says of itself while it is measured. Another machine's, or another program's, says nothing. */
import type { RunServer } from "../plan/run.ts";

export interface ServerSample {
  /** Monotonic ms. */
  readonly at: number;
  /** Of the whole process tree without the emulator, which stands for Google; counted up from some beginning. */
  readonly cpuSeconds: number;
  readonly rssBytes: number;
  /** Of the busiest worker, 0 to 1; undefined: no worker has said. */
  readonly elu: number | undefined;
  /** Counted up since the daemon started. */
  readonly hits: number;
  readonly stale: number;
  readonly misses: number;
  readonly upstreamCalls: number;
  readonly upstreamErrors: number;
  /** Reads of the current minute and what may be used of them; undefined: an application without a spreadsheet. */
  readonly quota: { readonly used: number; readonly limit: number; readonly locked: boolean } | undefined;
  /** Every worker is at its connection cap. */
  readonly full: boolean;
  readonly workers: number;
  /** Children that ended unasked. */
  readonly deaths: number;
  /** The whole machine, 0 to 1: the generator's part and everybody else's counted. */
  readonly machineCpu: number | undefined;
}

export interface Server {
  readonly about: RunServer;
  /** undefined: it does not answer. */
  sample(): Promise<ServerSample | undefined>;
}

/** A step's part of it. Ratios are 0 to 1. */
export interface ServerFigures {
  readonly cpuSeconds: number;
  readonly cpu: number;
  readonly rssBytes: number;
  readonly rss: number;
  readonly elu: number | undefined;
  readonly hitRatio: number | undefined;
  readonly upstreamCalls: number;
  readonly upstreamErrors: number;
  readonly quota: ServerSample["quota"];
  readonly full: boolean;
  readonly deaths: number;
  readonly machineCpu: number | undefined;
}

const most = (of: readonly (number | undefined)[]): number | undefined => {
  const known = of.filter((value) => value !== undefined);
  return known.length === 0 ? undefined : Math.max(...known);
};

/** @param samples of the step, in order. @returns undefined for fewer than two: nothing has grown. */
export function figuresOf(samples: readonly ServerSample[], seconds: number, about: RunServer): ServerFigures | undefined {
  const [first, last] = [samples[0], samples.at(-1)];
  if (first === undefined || last === undefined || samples.length < 2) return undefined;
  const grown = (name: "cpuSeconds" | "hits" | "stale" | "misses" | "upstreamCalls" | "upstreamErrors" | "deaths"): number =>
    Math.max(0, last[name] - first[name]);
  const cached = grown("hits") + grown("stale");
  const asked = cached + grown("misses");
  const rssBytes = Math.max(...samples.map((sample) => sample.rssBytes));
  const cpus = grown("cpuSeconds") / Math.max(0.001, (last.at - first.at) / 1_000);
  return {
    cpuSeconds: cpus * seconds,
    cpu: Math.min(1, cpus / about.cpus),
    rssBytes,
    rss: rssBytes / about.memoryBytes,
    elu: most(samples.map(({ elu }) => elu)),
    hitRatio: asked === 0 ? undefined : cached / asked,
    upstreamCalls: grown("upstreamCalls"),
    upstreamErrors: grown("upstreamErrors"),
    quota: samples.map(({ quota }) => quota).reduce((a, b) => (a !== undefined && b !== undefined && a.used > b.used ? a : b)),
    full: samples.some(({ full }) => full),
    deaths: grown("deaths"),
    machineCpu: most(samples.map(({ machineCpu }) => machineCpu)),
  };
}

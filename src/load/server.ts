/** What the server says of itself while it is measured. Another machine's, or another program's, says nothing. */
import type { RunServer } from "../tools/plan/run/run.ts";

export interface ServerSample {
  /** Monotonic ms. */
  readonly at: number;
  /** Of the whole process tree without the emulator, which stands for Google; counted up from some beginning. */
  readonly cpuSeconds: number;
  readonly rssBytes: number;
  /** Of the busiest worker, 0 to 1; of another program the CPU of its busiest process. undefined: nobody has said. */
  readonly elu: number | undefined;
  /** Counted up since the daemon started. */
  readonly hits: number;
  readonly stale: number;
  readonly misses: number;
  readonly upstreamCalls: number;
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
  readonly machine: ServerMachine;
  /** undefined: another program, of which only the processes are seen. */
  readonly about: RunServer | undefined;
  /** undefined: it does not answer. */
  sample(): Promise<ServerSample | undefined>;
}

export interface ServerMachine {
  readonly cpus: number;
  readonly memoryBytes: number;
}

/** A step's part of it. Ratios are 0 to 1. */
export interface ServerFigures {
  readonly cpuSeconds: number;
  readonly cpu: number;
  readonly rssBytes: number;
  readonly rss: number;
  readonly elu: number | undefined;
  readonly hitRatio: number | undefined;
  /** undefined: another program. */
  readonly upstreamCalls: number | undefined;
  readonly quota: ServerSample["quota"];
  readonly full: boolean;
  readonly deaths: number;
  readonly machineCpu: number | undefined;
}

const most = (of: readonly (number | undefined)[]): number | undefined => {
  const known = of.filter((value) => value !== undefined);
  return known.length === 0 ? undefined : Math.max(...known);
};

const average = (of: readonly (number | undefined)[]): number | undefined => {
  const known = of.filter((value) => value !== undefined);
  return known.length === 0 ? undefined : known.reduce((sum, value) => sum + value, 0) / known.length;
};

/** @param samples of the step, in order. @returns undefined for fewer than two: nothing has grown. */
export function figuresOf(
  samples: readonly ServerSample[],
  seconds: number,
  { machine, about }: Pick<Server, "machine" | "about">,
): ServerFigures | undefined {
  const [first, last] = [samples[0], samples.at(-1)];
  if (first === undefined || last === undefined || samples.length < 2) return undefined;
  const grown = (name: "cpuSeconds" | "hits" | "stale" | "misses" | "upstreamCalls" | "deaths"): number =>
    Math.max(0, last[name] - first[name]);
  const cached = grown("hits") + grown("stale");
  const asked = cached + grown("misses");
  const rssBytes = Math.max(...samples.map((sample) => sample.rssBytes));
  const cpus = grown("cpuSeconds") / Math.max(0.001, (last.at - first.at) / 1_000);
  return {
    cpuSeconds: cpus * seconds,
    cpu: Math.min(1, cpus / machine.cpus),
    rssBytes,
    rss: rssBytes / machine.memoryBytes,
    elu: most(samples.map(({ elu }) => elu)),
    hitRatio: asked === 0 ? undefined : cached / asked,
    upstreamCalls: about === undefined ? undefined : grown("upstreamCalls"),
    quota: samples.map(({ quota }) => quota).reduce((a, b) => (b === undefined || (a !== undefined && a.used > b.used) ? a : b)),
    full: samples.some(({ full }) => full),
    deaths: grown("deaths"),
    machineCpu: average(samples.map(({ machineCpu }) => machineCpu)), // one second of others is no bottleneck
  };
}

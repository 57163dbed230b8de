/** Server times of the emulated API. Pure: a profile and a seed give the same sequence. */
import { ms, type Ms } from "../../base/units.ts";

export const LATENCIES = ["none", "recorded", "slow"] as const;
export type LatencyProfile = (typeof LATENCIES)[number];

/** Mean server times of 1,909 recorded calls on small sheets, in ms. */
const RECORDED_MEANS: Readonly<Record<string, number>> = {
  "sheets.spreadsheets.values.get": 320,
  "sheets.spreadsheets.values.batchGet": 320,
  "sheets.spreadsheets.values.update": 360,
  "sheets.spreadsheets.values.append": 390,
  "sheets.spreadsheets.values.clear": 390,
  "sheets.spreadsheets.batchUpdate": 430,
  "sheets.spreadsheets.get": 450,
};
const OTHER_MEAN = 390;
/** Width of the log-normal: half of the calls within ±20 % of the median, one in a hundred over twice the mean. */
const SIGMA = 0.3;
/** The pessimistic profile: uniform between these. */
const SLOW = { least: 500, most: 2_000 } as const;

/** mulberry32 (Tommy Ettinger, public domain): 32 bits of state, uniform in [0, 1). */
export function random(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** @returns a function that returns the whole server time of the next call. */
export function latency(profile: LatencyProfile, seed: number): (method: string) => Ms {
  const next = random(seed);
  switch (profile) {
    case "none":
      return () => ms(0);
    case "slow":
      return () => ms(SLOW.least + next() * (SLOW.most - SLOW.least));
    case "recorded":
      return (method) => {
        const mean = RECORDED_MEANS[method] ?? OTHER_MEAN;
        const normal = Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next()); // Box and Muller, 1958
        return ms(mean * Math.exp(SIGMA * normal - (SIGMA * SIGMA) / 2));
      };
    default:
      return profile satisfies never;
  }
}

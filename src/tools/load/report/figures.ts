/** Figures for tables. */
import type { ServerFigures } from "../../../load/server.ts";
import type { StepResult } from "../verdict.ts";

export const number = (value: number): string =>
  Number(value.toPrecision(3)).toLocaleString("en-US", { maximumFractionDigits: 2 });
export const whole = (value: number): string => Math.round(value).toLocaleString("en-US");
export const rate = (value: number): string => (value >= 100 ? whole(value) : value.toFixed(1));

/** 0.8 ms, 12 ms, 1.25 s */
export function time(millis: number | undefined): string {
  if (millis === undefined) return "–";
  if (millis >= 1_000) return `${(millis / 1_000).toFixed(2)} s`;
  return `${millis < 9.95 ? millis.toFixed(1) : Math.round(millis)} ms`;
}

/** How long a run takes: `42.00 s`, from two minutes on `45 minutes`. */
export const lasting = (millis: number): string =>
  millis < 120_000 ? time(millis) : `${number(millis / 60_000)} minutes`;

export const percent = (ratio: number | undefined): string =>
  ratio === undefined ? "–" : `${(ratio * 100).toFixed(ratio > 0 && ratio < 0.1 ? 1 : 0)} %`;
export const ratio = (value: number | undefined): string =>
  value === undefined ? "–" : value.toFixed(2);

/** `–` for an unknown value. */
export const known = <T>(value: T | undefined, text: (value: T) => string): string =>
  value === undefined ? "–" : text(value);

type Percentile = keyof StepResult["latency"];

/** Latency of good answers in a step. */
export const latencyText =
  (name: Percentile) =>
  ({ measured, latency }: StepResult): string =>
    measured.counts.latency.count === 0 ? "–" : time(latency[name]);

/** Children that ended unexpectedly; undefined for another program than drover. */
export const deathsOf = (server: ServerFigures | undefined): number | undefined =>
  server?.upstreamCalls === undefined ? undefined : server.deaths;

/** Numbers for people: as many digits as they mean. */

export const gibibytes = (n: number): number => n * 1_073_741_824;

const grouped = (n: number): string => n.toLocaleString("en-US", { maximumFractionDigits: 0 });

/** Three digits at most below 1,000, whole above; `0` only for nothing. Never NaN or Infinity: those are the caller's words to find. */
export function num(value: number): string {
  if (value === 0) return "0";
  if (Math.abs(value) >= 999.5) return grouped(value);
  if (Math.abs(value) < 0.001) return value > 0 ? "<0.001" : ">-0.001";
  return String(Number(value.toPrecision(Math.abs(value) >= 100 ? 3 : 2)));
}

/** Three digits, for what is quoted against another figure. */
export const exact = (value: number): string =>
  Math.abs(value) >= 999.5 ? grouped(value) : String(Number(value.toPrecision(3)));

/** `1 CPU`, `2 CPUs`. */
export const count = (n: number, one: string): string =>
  `${num(n)} ${one}${num(n) === "1" ? "" : "s"}`;

/** Two digits. */
export const roughly = (part: number): string =>
  `${part > 0 && part < 0.001 ? "<0.1" : num(part * 100)} %`;

/** Two digits, also below 1 %: `0.03 %`. */
export function rare(part: number): string {
  const value = part * 100;
  if (value === 0) return "0 %";
  return value < 0.005
    ? "<0.01 %"
    : `${Number(value < 0.1 ? value.toFixed(2) : value.toPrecision(2))} %`;
}

export const percent = (part: number): string =>
  `${part > 0 && part < 0.001 ? "<0.1" : exact(part * 100)} %`;

export function size(bytes: number): string {
  const [unit, by] =
    bytes >= gibibytes(1) ? (["GiB", gibibytes(1)] as const) : (["MiB", 1_048_576] as const);
  return `${exact(bytes / by)} ${unit}`;
}

export const millis = (ms: number): string =>
  ms >= 999.5 ? `${exact(ms / 1_000)} s` : `${num(ms)} ms`;

export const span = (seconds: number): string =>
  seconds < 1 ? `${exact(seconds * 1_000)}ms` : `${exact(seconds)}s`;

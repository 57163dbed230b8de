/** Figures as operators read them; `–` where there is none. */

/** "1 worker", "3 workers" */
export const counted = (n: number, one: string): string => `${n} ${one}${n === 1 ? "" : "s"}`;
export const percent = (ratio: number | null): string => (ratio === null ? "–" : `${(ratio * 100).toFixed(ratio < 0.1 ? 1 : 0)} %`);
export const mib = (bytes: number | null): string => (bytes === null ? "–" : `${Math.round(bytes / 1_048_576)} MiB`);
export const millis = (value: number | null): string => (value === null ? "–" : `${value < 10 ? value.toFixed(1) : Math.round(value)} ms`);

/** Events a second: 0, 0.4, 12, 12k. */
export function rate(perSecond: number | null): string {
  if (perSecond === null) return "–";
  if (perSecond >= 99_950) return `${Math.round(perSecond / 1_000)}k`;
  if (perSecond >= 9_995) return `${(perSecond / 1_000).toFixed(1)}k`;
  return perSecond === 0 || perSecond >= 9.95 ? String(Math.round(perSecond)) : perSecond.toFixed(1);
}

/** 3d04h, 2h05m, 12m30s, 45s */
export function span(millis: number | null): string {
  if (millis === null) return "–";
  const seconds = Math.max(0, Math.floor(millis / 1_000));
  const [days, hours, minutes] = [Math.floor(seconds / 86_400), Math.floor(seconds / 3_600) % 24, Math.floor(seconds / 60) % 60];
  const two = (n: number): string => String(n).padStart(2, "0");
  if (days > 0) return `${days}d${two(hours)}h`;
  if (hours > 0) return `${hours}h${two(minutes)}m`;
  return minutes > 0 ? `${minutes}m${two(seconds % 60)}s` : `${seconds}s`;
}

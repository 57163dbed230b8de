import type { WorkerConfig } from "./config.ts";

/**
 * After how many requests this process reports that it is worn. Drawn at each start, so that workers with equal load do not
 * reach their limits together.
 * @param random 0 ≤ x < 1.
 * @returns Infinity when there is no limit.
 */
export function requestLimit(
  { maxRequests, maxRequestsJitter }: Pick<WorkerConfig, "maxRequests" | "maxRequestsJitter">,
  random: () => number,
): number {
  return maxRequests === 0 ? Infinity : maxRequests + Math.floor(random() * (maxRequestsJitter + 1));
}

/**
 * CPUs that are rented by credits (AWS t3, t4g): a credit is one minute of one CPU. Below the baseline they grow, above it they are spent, and
 * when none is left the CPU is held at the baseline. A load test shorter than that measures the credits, not the machine.
 */
import type { Burst } from "./prices.ts";

export interface Credits {
  /** CPUs that can be used without end. */
  readonly sustained: number;
  /** Hours until the credits are gone, from a full account; undefined: never. */
  readonly hours: number | undefined;
}

/** @param cpus of the machine. @param busy CPUs that the load uses. */
export function creditsOf({ baseline, credits }: Burst, cpus: number, busy: number): Credits {
  const sustained = cpus * baseline;
  const spent = (Math.min(busy, cpus) - sustained) * 60; // an hour
  return { sustained, hours: spent > 0 ? credits / spent : undefined };
}

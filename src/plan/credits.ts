/**
 * CPUs that are rented by credits (AWS t3, t4g): a credit is one minute of one CPU. Below the baseline they grow, above it they are spent.
 * When none is left, a machine in standard mode is held at the baseline, and one in unlimited mode, AWS's default for T3, is billed for
 * the rest. A load test shorter than that measures the credits, not the machine.
 * Source: docs.aws.amazon.com/AWSEC2/latest/UserGuide/burstable-credits-baseline-concepts.html, read 2026-11-23.
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

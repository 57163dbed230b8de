/** `--spread-addresses`: each simulated user connects from its own loopback address. */
import { createServer } from "node:net";
import { DroverError, messageOf } from "../../base/errors.ts";
import { spreadAddress } from "../../load/address.ts";
import { peak, type Step } from "../../load/shape.ts";
import type { Target } from "../../load/target.ts";
import type { Traffic } from "../../load/traffic.ts";

/** Only 127.0.0.0/8 is a range: ::1 is a single address. */
const canSpread = ({ address }: Pick<Target, "address">): boolean => address.startsWith("127.");

/** @throws DroverError DROVER_E_USAGE for a target, or a system, with a single loopback address. */
export async function spreadable(target: Target): Promise<void> {
  const fail = (why: string, cause?: unknown): DroverError =>
    new DroverError("DROVER_E_USAGE", `--spread-addresses: ${why}`, { cause });
  const { host, address } = target;
  if (!canSpread(target))
    throw fail(
      `${host} is ${address} (expected an address of 127.0.0.0/8). Name 127.0.0.1, or leave the flag out`,
    );
  const probe = createServer();
  const from = spreadAddress(0);
  try {
    await new Promise<void>((resolve, reject) => {
      probe.once("error", reject);
      probe.listen(0, from, resolve);
    });
  } catch (error) {
    throw fail(
      `${from} is no address of this machine (${messageOf(error)}). Leave the flag out`,
      error,
    );
  } finally {
    probe.close();
  }
}

/**
 * A note when users without a login write or export from one address: a drover limits both for each
 * address, and the refusals would show nothing of its capacity.
 */
export function sharedAddress(
  steps: readonly Step[],
  { login, mix }: Pick<Traffic, "login" | "mix">,
  target: Pick<Target, "address">,
): string[] {
  if (login !== undefined || mix.write + mix.export === 0 || peak(steps) <= 1) return [];
  const spread = canSpread(target) ? "use --spread-addresses, " : "";
  return [
    `all users share one address, and drover limits the writes and exports of an address: ${spread}` +
      "let users sign in (--user-file), or start the target with DROVER_RATE_LIMIT=off DROVER_EXPORT_RATE=off",
  ];
}

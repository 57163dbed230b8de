/** `--spread-addresses`: whether this machine can, and the limits of one address that make it necessary. */
import { createServer } from "node:net";
import { DroverError, messageOf } from "../../base/errors.ts";
import { spreadAddress } from "../../load/address.ts";
import type { AddressRate, AddressRates } from "../../load/shared-address.ts";
import type { Target } from "../../load/target.ts";
import { rate, type Rate } from "../../settings/rows/limits.ts";
import type { Settings } from "../../settings/table.ts";

/** Only 127.0.0.0/8 is a range: ::1 is a single address. */
export const canSpread = ({ address }: Pick<Target, "address">): boolean => address.startsWith("127.");

/** @throws DroverError DROVER_E_USAGE for a target, or a system, that knows a single loopback address. */
export async function spreadable(target: Target): Promise<void> {
  if (!canSpread(target))
    throw new DroverError(
      "DROVER_E_USAGE",
      `--spread-addresses: ${target.host} is ${target.address} (expected an address of 127.0.0.0/8). Name 127.0.0.1, or leave the flag out`,
    );
  const probe = createServer();
  try {
    await new Promise<void>((resolve, reject) => {
      probe.once("error", reject);
      probe.listen(0, spreadAddress(0), resolve);
    });
  } catch (error) {
    throw new DroverError(
      "DROVER_E_USAGE",
      `--spread-addresses: ${spreadAddress(0)} is no address of this machine (${messageOf(error)}). Leave the flag out`,
      { cause: error },
    );
  } finally {
    probe.close();
  }
}

const rateOf = (limit: Rate | undefined): AddressRate | undefined =>
  limit === undefined ? undefined : { perMinute: (limit.most * 60_000) / limit.per, text: rate.format(limit) };

/** Of a daemon with these settings. */
export function ratesOf({ rate_limit: writes, export_rate: exports }: Settings): AddressRates {
  const [write, copy] = [rateOf(writes), rateOf(exports)];
  return { ...(write === undefined ? {} : { write }), ...(copy === undefined ? {} : { export: copy }) };
}

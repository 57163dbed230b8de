/** The files that a plan reads. */
import { readFileSync, statSync } from "node:fs";
import { DroverError, messageOf } from "../../base/errors.ts";
import { plainText } from "../../base/plain-text.ts";
import { mebibytes } from "../../base/units.ts";
import { PRICES, readPrices, type PriceList } from "./prices.ts";
import type { PlanFlags } from "./flags.ts";

/** A run of 1,000 steps is a tenth of it. */
const LARGEST = mebibytes(8);

/** @throws DroverError when it can't be read. */
export function fileText(file: string, code: "DROVER_E_TABLES" | "DROVER_E_USAGE"): string {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    throw new DroverError(code, `${file} can't be read: ${messageOf(error)}`, { cause: error });
  }
}

/** @param what introduces the file in errors, such as `--from `. @throws DroverError DROVER_E_USAGE when it is not there, no file, or too large. */
export function readFile(what: string, file: string): string {
  const found = statSync(file, { throwIfNoEntry: false });
  if (found === undefined)
    throw new DroverError("DROVER_E_USAGE", `${what}${file}: there is no such file`);
  if (!found.isFile()) throw new DroverError("DROVER_E_USAGE", `${what}${file}: expected a file`);
  if (found.size > LARGEST)
    throw new DroverError(
      "DROVER_E_USAGE",
      `${what}${file}: ${found.size} bytes, expected at most ${LARGEST}`,
    );
  return plainText(fileText(file, "DROVER_E_USAGE"), file);
}

/** The built-in price list, or that of `--prices`. */
export const pricesOf = ({ prices }: Pick<PlanFlags, "prices">): PriceList =>
  prices === undefined ? PRICES : readPrices(readFile("--prices ", prices), prices);

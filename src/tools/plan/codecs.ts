/** How the values of `drover plan`'s flags are written. */
import { minutes, ms } from "../../base/units.ts";
import type { Kind } from "./model/sizes.ts";
import { duration } from "../../settings/parsers.ts";
import { expected, parsed, type Codec } from "../../settings/setting.ts";

/** A decimal, as people write it: no exponent, no sign. */
export function decimal(least: number, most: number, what: string): Codec<number> {
  const looksLike = `${what} from ${least} to ${most.toLocaleString("en-US")}`;
  return {
    looksLike,
    format: String,
    parse(text) {
      const value = /^\d{1,9}(?:\.\d{1,9})?$/.test(text) ? Number(text) : Number.NaN;
      return value >= least && value <= most ? parsed(value) : expected(looksLike);
    },
  };
}

export const share: Codec<number> = {
  looksLike: "a part from 0 to 1, or from 0% to 100%",
  format: String,
  parse(text) {
    const [, digits, sign] = /^(\d{1,3}(?:\.\d{1,6})?)(%)?$/.exec(text) ?? [];
    const value = Number(digits) / (sign === undefined ? 1 : 100);
    return value >= 0 && value <= 1 ? parsed(value) : expected(share.looksLike);
  },
};

export const twoTimes: Codec<readonly [number, number]> = {
  looksLike: "P50,P99: two times in ms, the first not above the second, such as 300,800",
  format: (value) => value.join(","),
  parse(text) {
    const [, a, b] = /^(\d{1,7}(?:\.\d{1,3})?),(\d{1,7}(?:\.\d{1,3})?)$/.exec(text) ?? [];
    const [p50, p99] = [Number(a), Number(b)];
    return p50 > 0 && p50 <= p99 ? parsed([p50, p99] as const) : expected(twoTimes.looksLike);
  },
};

export interface ArrivalsFlag {
  /** Part of the visitors that is there at once, where it is named. */
  readonly atOnce: number | undefined;
  /** The part of the visitors that has come `after` seconds. */
  readonly curve: readonly { readonly after: number; readonly part: number }[];
}

const MOST_PARTS = 50;
const after = duration(ms(1_000), minutes(31 * 24 * 60));

/** `3%,1h:15%,4h:50%,24h:100%`: 3 % of the visitors at once, and after an hour 15 % have come. */
export const arrivals: Codec<ArrivalsFlag> = {
  looksLike:
    "TIME:PART,… with both rising, such as 1h:15%,4h:50%,24h:100%, or 3%,1h:15%,… with the part that is there at once",
  format: ({ curve }) => curve.map((point) => `${point.after}s:${point.part * 100}%`).join(","),
  parse(text) {
    const words = text.split(",").map((word) => word.trim());
    const first =
      words[0]?.includes(":") === false ? share.parse(words.shift() ?? "", "/") : undefined;
    const curve = words.flatMap((word) => {
      const [, time, part] = /^([^:]+):([^:]+)$/.exec(word) ?? [];
      const [at, of] = [after.parse(time ?? "", "/"), share.parse(part ?? "", "/")];
      return at.ok && of.ok ? [{ after: at.value / 1_000, part: of.value }] : [];
    });
    const rises = curve.every(
      ({ after: at, part }, i) =>
        at > (curve[i - 1]?.after ?? 0) && part > (curve[i - 1]?.part ?? 0),
    );
    const good =
      curve.length === words.length && curve.length > 0 && curve.length <= MOST_PARTS && rises;
    if (!good || first?.ok === false || (first?.ok === true && first.value === 0))
      return expected(arrivals.looksLike);
    return parsed({ atOnce: first?.value, curve });
  },
};

/** Of answers: kB as people count them, 1,000 bytes. */
const SIZE = /^\s*([\w-]{1,40})=(\d{1,9}(?:\.\d{1,3})?)(k|m)?\*(\d{1,6}(?:\.\d{1,3})?)\s*$/i;
const BYTES = { k: 1_000, m: 1_000_000 } as const;

/** `login=50k*1,api=10k*10,image=150k*1`: bytes of an answer (k: 1,000), and how many of them a session has. */
export const sizes: Codec<readonly Kind[]> = {
  looksLike: "NAME=SIZE*COUNT,… such as login=50k*1,api=10k*10,image=150k*1",
  format: (kinds) =>
    kinds.map(({ name, bytes: each, count }) => `${name}=${each}*${count}`).join(","),
  parse(text) {
    const words = text.split(",");
    const kinds = words.flatMap((word): Kind[] => {
      const [, name, digits, unit, count] = SIZE.exec(word) ?? [];
      const factor = unit === undefined ? 1 : BYTES[unit.toLowerCase() as keyof typeof BYTES];
      return name === undefined
        ? []
        : [{ name, bytes: Number(digits) * factor, count: Number(count) }];
    });
    const good =
      kinds.length === words.length &&
      kinds.length <= MOST_PARTS &&
      kinds.some(({ bytes: each, count }) => each * count > 0);
    return good ? parsed(kinds) : expected(sizes.looksLike);
  },
};

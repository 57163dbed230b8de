/** Advice from days: what is to be done when the service is regularly nearly full. Pure. */
import { slotsForMemory, nextMachine } from "../../base/slots.ts";
import { minutes, type Bytes } from "../../base/units.ts";
import { said, type Said } from "../said.ts";
import type { DayRecord } from "../slots/record.ts";
import { moreSlots } from "./slots.ts";

/** The service was at or above a level on some of the last days. */
export interface Regular {
  readonly percent: 80 | 90;
  /** Slots: the level, of how many. */
  readonly above: number;
  readonly of: number;
  /** How many of the last 7 days. */
  readonly days: number;
  /** What the machine lacked during most of that time; none: it has room. */
  readonly short: readonly ("cpu" | "memory")[];
  readonly reason: Said;
  readonly step: Said;
}

export interface RegularInput {
  /** Of each day that was seen, the latest last. */
  readonly days: readonly DayRecord[];
  /** The oldest date that counts. */
  readonly since: string;
  readonly max: number;
  readonly memory: Bytes;
  /** The launch schedule's next step; undefined: none. */
  readonly next: { readonly max: number; readonly on: string } | undefined;
}

/**
 * Regularly: on 3 of the last 7 days, for 5 minutes at least on each. One evening is an event, two
 * may be a weekend; three in a week come again next week. 5 minutes are more than one burst of
 * logins, whose sessions last at least as long (DROVER_SLOT_LEASE, 10 minutes).
 */
const DAYS = 3;
const LONG = minutes(5);
export const LOOKED_BACK = 7;

/** @returns undefined unless the service is regularly at 80 % of its slots. */
export function regularly({ days, since, max, memory, next }: RegularInput): Regular | undefined {
  const last = days.filter(({ day }) => day >= since);
  const at90 = last.filter(({ above90 }) => above90 >= LONG);
  const at80 = last.filter(({ above80 }) => above80 >= LONG);
  const [percent, busy] = at90.length >= DAYS ? ([90, at90] as const) : ([80, at80] as const);
  if (busy.length < DAYS) return undefined;
  const whole = busy.reduce((sum, { above80 }) => sum + above80, 0);
  const share = (what: "busyCpu" | "busyMemory"): number => busy.reduce((sum, one) => sum + one[what], 0) / whole;
  const short = [...(share("busyCpu") > 0.5 ? (["cpu"] as const) : []), ...(share("busyMemory") > 0.5 ? (["memory"] as const) : [])];
  const above = Math.ceil((max * percent) / 100);
  const reason = said`${above} of ${max} slots or more were taken on ${busy.length} of the last ${LOOKED_BACK} days${load(short)}`;
  return { percent, above, of: max, days: busy.length, short, reason, step: stepFor({ percent, short, max, memory, next }) };
}

const LOADS = {
  none: said`, with CPU up to 70 % and memory up to 80 % for most of that time`,
  cpu: said`, with the CPU above 70 % for most of that time`,
  memory: said`, with memory above 80 % for most of that time`,
  both: said`, with the CPU above 70 % and memory above 80 % for most of that time`,
} as const;

const load = (short: readonly ("cpu" | "memory")[]): Said => (short.length === 2 ? LOADS.both : LOADS[short[0] ?? "none"]);

type StepInput = Pick<Regular, "percent" | "short"> & Pick<RegularInput, "max" | "memory" | "next">;

function stepFor({ percent, short, max, memory, next }: StepInput): Said {
  const larger = nextMachine(memory);
  const fits = larger !== undefined && larger.slots > max;
  if (short.length > 0) {
    if (!fits) return short.includes("cpu") ? said`get a machine with more cores` : said`get a machine with more memory`;
    return said`a machine with ${larger.gib} GB carries about ${larger.slots}: move there, then set DROVER_MAX_SLOTS=${larger.slots}`;
  }
  if (next !== undefined) return said`the launch schedule raises the maximum to ${next.max} on ${next.on}`;
  const more = said`set DROVER_MAX_SLOTS=${moreSlots(max)}: the machine carries more`;
  return percent === 90 && fits && max >= slotsForMemory(memory)
    ? said`${more}; plan a machine with ${larger.gib} GB, which carries about ${larger.slots}`
    : more;
}

/** What machines cost. The built-in list is an example with a date: give your own with --prices. */
import { DroverError, messageOf } from "../../base/errors.ts";
import { Reader, type Fields } from "./fields.ts";
import { CPU_SHARE, MEMORY_SHARE } from "./model/types.ts";

/** A machine whose CPUs are lent beyond a baseline. */
export interface Burst {
  /** Part of each CPU that can be used without end, 0 to 1. */
  readonly baseline: number;
  /** The most that can be saved up: minutes of one CPU. */
  readonly credits: number;
}

export interface MachinePrice {
  readonly name: string;
  readonly cpus: number;
  readonly memoryGb: number;
  /** A month, in the list's currency. */
  readonly monthly: number;
  readonly burst?: Burst;
}

export interface PriceList {
  /** YYYY-MM-DD. */
  readonly asOf: string;
  readonly currency: string;
  readonly machines: readonly MachinePrice[];
}

export const PRICES: PriceList = {
  asOf: "2026-11-21",
  currency: "USD",
  machines: [
    { name: "VPS 2 GB", cpus: 1, memoryGb: 2, monthly: 10 },
    { name: "VPS 4 GB", cpus: 2, memoryGb: 4, monthly: 40 },
    { name: "VPS 8 GB", cpus: 4, memoryGb: 8, monthly: 80 },
    { name: "VPS 16 GB", cpus: 8, memoryGb: 16, monthly: 160 },
    // aws.amazon.com/ec2/pricing/on-demand: us-east-1, Linux, 0.0416 and 0.0832 dollars an hour × 730 hours (public copies of that list,
    // read 2026-11-23). Baselines and credits: the EC2 user guide, burstable-credits-baseline-concepts.html, credit table (24 and 36
    // credits an hour; the most that can be accrued are 24 hours' worth), read 2026-11-23.
    {
      name: "t3.medium",
      cpus: 2,
      memoryGb: 4,
      monthly: 30.37,
      burst: { baseline: 0.2, credits: 576 },
    },
    {
      name: "t3.large",
      cpus: 2,
      memoryGb: 8,
      monthly: 60.74,
      burst: { baseline: 0.3, credits: 864 },
    },
  ],
};

export interface Bill {
  readonly machine: MachinePrice;
  readonly count: number;
  readonly monthly: number;
}

/** What machines are bought for. */
export interface Wanted {
  /** CPUs that are busy. */
  readonly cpu: number;
  /** Bytes that are used. */
  readonly memory: number;
  /** Of what a machine's cable carries. */
  readonly cables: number;
}

/** How many of each machine the demand needs, the cheapest first; at the same price, the fewest machines first. */
export const billsOf = (list: PriceList, { cpu, memory, cables }: Wanted): readonly Bill[] =>
  list.machines
    .map((machine) => {
      const forCpu = cpu / (machine.cpus * Math.min(CPU_SHARE, machine.burst?.baseline ?? 1));
      const forMemory = memory / (machine.memoryGb * 1_073_741_824 * MEMORY_SHARE);
      const count = Math.max(1, Math.ceil(Math.max(forCpu, forMemory, cables / CPU_SHARE)));
      return { machine, count, monthly: count * machine.monthly };
    })
    .toSorted((a, b) => a.monthly - b.monthly || a.count - b.count);

/** The first of them. */
export function cheapest(list: PriceList, wanted: Wanted): Bill {
  const [first] = billsOf(list, wanted);
  if (first === undefined) throw new RangeError("a price list names one machine or more");
  return first;
}

/**
 * CPUs that are rented by credits (AWS t3, t4g): a credit is one minute of one CPU. Below the baseline they grow, above it they are spent.
 * When none is left, a machine in standard mode is held at the baseline, and one in unlimited mode, AWS's default for T3, is billed for
 * the rest. A load test shorter than that measures the credits, not the machine.
 * Source: docs.aws.amazon.com/AWSEC2/latest/UserGuide/burstable-credits-baseline-concepts.html, read 2026-11-23.
 */
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

/** As it stands in the calendar. */
function isDate(text: string): boolean {
  const at = /^\d{4}-\d\d-\d\d$/.test(text) ? new Date(`${text}T00:00:00Z`) : new Date(Number.NaN);
  return !Number.isNaN(at.getTime()) && at.toISOString().startsWith(text);
}

/** @throws DroverError for one that would break its row. */
function line(at: Reader, name: string): string {
  const text = at.text(name);
  return /^[^\p{Cc}\p{Zl}\p{Zp}]+$/u.test(text) ? text : at.fail(name, text, "a text of one line");
}

function burstOf(machine: Reader): Pick<MachinePrice, "burst"> {
  if (!machine.has("burst")) return {};
  const at = machine.child("burst");
  return { burst: { baseline: at.number("baseline", 0.01, 1), credits: at.number("credits", 0) } };
}

/** @throws DroverError DROVER_E_USAGE naming a machine that is not in the list. */
export function machineOf(list: PriceList, name: string): MachinePrice {
  const found = list.machines.find((machine) => machine.name.toLowerCase() === name.toLowerCase());
  if (found !== undefined) return found;
  const known = list.machines.map((machine) => machine.name).join(", ");
  throw new DroverError(
    "DROVER_E_USAGE",
    `--machine ${name}: expected one of ${known} (--prices FILE names others)`,
  );
}

/** Months since the prices were noted, whole. @param today YYYY-MM-DD. */
export const monthsOld = ({ asOf }: PriceList, today: string): number => {
  const [year = 0, month = 0] = asOf.split("-").map(Number);
  const [nowYear = 0, nowMonth = 0] = today.split("-").map(Number);
  return (nowYear - year) * 12 + nowMonth - month;
};

/** @throws DroverError DROVER_E_USAGE naming the place in the file. */
export function readPrices(text: string, file: string): PriceList {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw new DroverError("DROVER_E_USAGE", `${file} is no JSON: ${messageOf(error)}`, {
      cause: error,
    });
  }
  const fields =
    typeof json === "object" && json !== null && !Array.isArray(json) ? (json as Fields) : {};
  const at = new Reader(fields, file, "");
  const asOf = at.text("asOf");
  if (!isDate(asOf)) at.fail("asOf", asOf, "a date, YYYY-MM-DD");
  return {
    asOf,
    currency: line(at, "currency"),
    machines: at.list("machines", 200).map((machine) => ({
      name: line(machine, "name"),
      cpus: machine.number("cpus", 0.01),
      memoryGb: machine.number("memoryGb", 0.01),
      monthly: machine.number("monthly", 0),
      ...burstOf(machine),
    })),
  };
}

/** The flags of `drover plan`, read as what they must be. */
import { DroverError } from "../../base/errors.ts";
import { bytes, minutes, ms } from "../../base/units.ts";
import { PRESETS, type Preset } from "./model/presets.ts";
import type { CommandFlag } from "../../settings/flags.ts";
import { choice, duration, integer, size } from "../../settings/parsers.ts";
import type { Kind } from "./model/sizes.ts";
import { expected, type Codec } from "../../settings/setting.ts";
import { arrivals, decimal, share, sizes, twoTimes, type ArrivalsFlag } from "./codecs.ts";

const VALUES = (
  "users rate burst writes signed-in comfort bytes sizes visitors arrivals stay profile cpus ram machine nic regions upstream-ms tables ttl " +
  "quota limit from verify usl prices preset"
).split(" ");
const SWITCHES = ["tiers", "json", "cost", "show-prices"];

export const PLAN_FLAGS: readonly CommandFlag[] = [
  ...VALUES.map((name) => ({ name, takes: "value" as const })),
  ...SWITCHES.map((name) => ({ name })),
];

/** undefined: the flag was not given. */
export interface PlanFlags {
  readonly users: number | undefined;
  readonly rate: number | undefined;
  readonly burst: number | undefined;
  /** 0 to 1. */
  readonly writes: number | undefined;
  /** 0 to 1. */
  readonly signedIn: number | undefined;
  /** Slots. */
  readonly comfort: number | undefined;
  readonly bytes: number | undefined;
  /** In place of `bytes`. */
  readonly sizes: readonly Kind[] | undefined;
  /** Of a launch, in all. */
  readonly visitors: number | undefined;
  readonly arrivals: ArrivalsFlag | undefined;
  /** In ms. */
  readonly stay: number | undefined;
  /** A file. */
  readonly profile: string | undefined;
  /** Of the price list. */
  readonly machine: string | undefined;
  /** Mbit/s. */
  readonly nic: number | undefined;
  readonly regions: number | undefined;
  readonly cpus: number | undefined;
  readonly ram: number | undefined;
  /** In ms. */
  readonly upstream: readonly [number, number] | undefined;
  readonly tables: number | undefined;
  /** In ms. */
  readonly ttl: number | undefined;
  readonly quota: number | undefined;
  /** In ms. */
  readonly limit: number | undefined;
  readonly from: string | undefined;
  readonly verify: string | undefined;
  /** A table of measurements. */
  readonly usl: string | undefined;
  readonly prices: string | undefined;
  readonly preset: Preset | undefined;
  readonly tiers: boolean;
  readonly json: boolean;
  readonly cost: boolean;
  readonly showPrices: boolean;
}

/** @throws DroverError DROVER_E_USAGE naming the flag, the value and what was expected. */
export function readPlanFlags(own: ReadonlyMap<string, string>): PlanFlags {
  const read = <T>(name: string, codec: Codec<T>): T | undefined => {
    const text = own.get(name);
    if (text === undefined) return undefined;
    const result = codec.parse(text, "/");
    if (result.ok) return result.value;
    throw new DroverError("DROVER_E_USAGE", `--${name} ${text}: expected ${result.problem}`);
  };
  const flags: PlanFlags = {
    users: read("users", integer(1, 10_000_000)),
    rate: read("rate", decimal(0.000_001, 1_000_000, "requests a second of each user,")),
    burst: read("burst", decimal(1, 1_000, "how many times the usual load the peak is,")),
    writes: read("writes", share),
    signedIn: read("signed-in", share),
    comfort: read("comfort", integer(1, 100_000)),
    bytes: read("bytes", size(bytes(1), bytes(1_073_741_824))),
    sizes: read("sizes", sizes),
    visitors: read("visitors", integer(1, 100_000_000)),
    arrivals: read("arrivals", arrivals),
    stay: read("stay", duration(ms(1_000), minutes(24 * 60))),
    profile: own.get("profile"),
    machine: own.get("machine"),
    nic: read("nic", decimal(0.1, 1_000_000, "Mbit/s")),
    regions: read("regions", integer(1, 100)),
    cpus: read("cpus", decimal(0.1, 4_096, "a number of CPUs")),
    ram: read("ram", size(bytes(16 * 1_048_576), bytes(64 * 1_099_511_627_776))),
    upstream: read("upstream-ms", twoTimes),
    tables: read("tables", {
      ...integer(1, 500),
      parse: (text, cwd) =>
        /[./]/.test(text)
          ? expected("how many tables; DROVER_TABLES names a file")
          : integer(1, 500).parse(text, cwd),
    }),
    ttl: read("ttl", duration(ms(100), minutes(24 * 60))),
    quota: read("quota", integer(1, 100_000)),
    limit: read("limit", duration(ms(1), minutes(10))),
    from: own.get("from"),
    verify: own.get("verify"),
    usl: own.get("usl"),
    prices: own.get("prices"),
    preset: read("preset", choice(PRESETS)),
    tiers: own.has("tiers"),
    json: own.has("json"),
    cost: own.has("cost"),
    showPrices: own.has("show-prices"),
  };
  together(flags);
  const [unpriced] = [...own.keys()].filter(
    (name) => !["show-prices", "prices", "json"].includes(name),
  );
  if (flags.showPrices && unpriced !== undefined)
    never(`--show-prices prints the price list alone: leave out --${unpriced}`);
  const [other] = [...own.keys()].filter((name) => name !== "usl" && name !== "json");
  if (flags.usl !== undefined && other !== undefined)
    never(`--usl fits a table of its own: leave out --${other}`);
  return flags;
}

const never = (message: string): never => {
  throw new DroverError("DROVER_E_USAGE", message);
};

/** Flags that contradict each other. */
function together(flags: PlanFlags): void {
  const {
    verify,
    tiers,
    preset,
    from,
    users,
    rate,
    burst,
    writes,
    profile,
    arrivals: curve,
  } = flags;
  const demand = [users, rate, burst, writes, profile, curve].some((value) => value !== undefined);
  demands(flags);
  const idle = (["bytes", "limit", "prices"] as const).filter((name) => flags[name] !== undefined);
  if (verify !== undefined && idle[0] !== undefined)
    never(
      `--verify prints a prediction beside a measurement: leave out --${idle[0]}, which has no effect on it`,
    );
  if (flags.cost && tiers) never("--cost compares machines for one plan: leave out --tiers");
  if (flags.cost && verify !== undefined) never("--verify prices nothing: leave out --cost");
  if (verify !== undefined && (tiers || preset !== undefined))
    never("--verify tells its own demand, the run's: leave out --tiers and --preset");
  if (verify !== undefined && demand)
    never(
      "--verify tells its own demand, the run's: leave out --users, --rate, --burst and --writes",
    );
  if (tiers && (preset !== undefined || demand))
    never(
      "--tiers has demands of its own: leave out --preset, --users, --rate, --burst and --writes",
    );
  if (from !== undefined && (preset === "before" || preset === "after"))
    never(`--from measures this service, --preset ${preset} is another one: leave one of them out`);
}

/** Ways to say one demand that exclude each other, or need each other. */
function demands({
  bytes: one,
  sizes: several,
  arrivals: curve,
  visitors,
  users,
  stay,
  machine,
  cpus,
  ram,
  profile,
  preset,
  from,
}: PlanFlags): void {
  if (one !== undefined && several !== undefined)
    never("--bytes and --sizes say the same: leave one of them out");
  if ((curve === undefined) !== (visitors === undefined))
    never("--visitors and --arrivals need each other");
  if (curve !== undefined && users !== undefined)
    never("--arrivals makes the users at once: leave out --users");
  if (stay !== undefined && curve === undefined)
    never("--stay is how long a visitor of --arrivals stays: add --arrivals");
  if (machine !== undefined && (cpus ?? ram) !== undefined)
    never("--machine has its own CPUs and memory: leave out --cpus and --ram");
  if (profile !== undefined && (preset !== undefined || from !== undefined))
    never("--profile is a demand of its own: leave out --preset and --from");
}

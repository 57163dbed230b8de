/** The flags of `drover plan`, read as what they must be. */
import { DroverError } from "../../base/errors.ts";
import { bytes, minutes, ms } from "../../base/units.ts";
import { PRESETS, type Preset } from "../../plan/presets.ts";
import type { CommandFlag } from "../../settings/flags.ts";
import { choice, duration, integer, size } from "../../settings/parsers.ts";
import { expected, parsed, type Codec } from "../../settings/setting.ts";

const VALUES =
  "users rate burst writes signed-in comfort bytes cpus ram upstream-ms tables ttl quota limit from verify prices preset".split(" ");
const SWITCHES = ["tiers", "json", "explain"];

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
  readonly prices: string | undefined;
  readonly preset: Preset | undefined;
  readonly tiers: boolean;
  readonly json: boolean;
  readonly explain: boolean;
}

/** A decimal, as people write it: no exponent, no sign. */
function decimal(least: number, most: number, what: string): Codec<number> {
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

const share: Codec<number> = {
  looksLike: "a part from 0 to 1, or from 0% to 100%",
  format: String,
  parse(text) {
    const [, digits, sign] = /^(\d{1,3}(?:\.\d{1,6})?)(%)?$/.exec(text) ?? [];
    const value = Number(digits) / (sign === undefined ? 1 : 100);
    return value >= 0 && value <= 1 ? parsed(value) : expected(share.looksLike);
  },
};

const twoTimes: Codec<readonly [number, number]> = {
  looksLike: "P50,P99: two times in ms, the first not above the second, such as 300,800",
  format: (value) => value.join(","),
  parse(text) {
    const [, a, b] = /^(\d{1,7}(?:\.\d{1,3})?),(\d{1,7}(?:\.\d{1,3})?)$/.exec(text) ?? [];
    const [p50, p99] = [Number(a), Number(b)];
    return p50 > 0 && p50 <= p99 ? parsed([p50, p99] as const) : expected(twoTimes.looksLike);
  },
};

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
    cpus: read("cpus", decimal(0.1, 4_096, "a number of CPUs")),
    ram: read("ram", size(bytes(16 * 1_048_576), bytes(64 * 1_099_511_627_776))),
    upstream: read("upstream-ms", twoTimes),
    tables: read("tables", {
      ...integer(1, 500),
      parse: (text, cwd) =>
        /[./]/.test(text) ? expected("how many tables; DROVER_TABLES names a file") : integer(1, 500).parse(text, cwd),
    }),
    ttl: read("ttl", duration(ms(100), minutes(24 * 60))),
    quota: read("quota", integer(1, 100_000)),
    limit: read("limit", duration(ms(1), minutes(10))),
    from: own.get("from"),
    verify: own.get("verify"),
    prices: own.get("prices"),
    preset: read("preset", choice(PRESETS)),
    tiers: own.has("tiers"),
    json: own.has("json"),
    explain: own.has("explain"),
  };
  together(flags);
  return flags;
}

const never = (message: string): never => {
  throw new DroverError("DROVER_E_USAGE", message);
};

/** Flags that contradict each other. */
function together(flags: PlanFlags): void {
  const { verify, tiers, preset, from, users, rate, burst, writes } = flags;
  const demand = [users, rate, burst, writes].some((value) => value !== undefined);
  const idle = (["bytes", "limit", "prices"] as const).filter((name) => flags[name] !== undefined);
  if (verify !== undefined && (idle.length > 0 || flags.explain))
    never(`--verify prints a prediction beside a measurement: leave out --${idle[0] ?? "explain"}, which changes nothing in it`);
  if (tiers && flags.explain) never("--explain explains one plan: leave out --tiers");
  if (verify !== undefined && (tiers || preset !== undefined))
    never("--verify tells its own demand, the run's: leave out --tiers and --preset");
  if (verify !== undefined && demand) never("--verify tells its own demand, the run's: leave out --users, --rate, --burst and --writes");
  if (tiers && (preset !== undefined || demand))
    never("--tiers has demands of its own: leave out --preset, --users, --rate, --burst and --writes");
  if (from !== undefined && (preset === "before" || preset === "after"))
    never(`--from measures this service, --preset ${preset} is another one: leave one of them out`);
}

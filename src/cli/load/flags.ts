/** The flags of `drover load`, read as what they must be. */
import { DroverError } from "../../base/errors.ts";
import { minutes, ms, seconds, type Ms } from "../../base/units.ts";
import { LEAST_RATE, MOST_RATE, MOST_USERS } from "../../load/bounds.ts";
import { parseThreshold, type Threshold } from "../../tools/load/thresholds.ts";
import type { Mix } from "../../load/traffic.ts";
import type { CommandFlag } from "../../settings/flags.ts";
import { duration, integer } from "../../settings/parsers.ts";
import { expected, parsed, type Codec } from "../../settings/setting.ts";

const VALUES = "ladder users rate stages profile mix hold think requests patience user-file admin admin-token-file seed json html".split(
  " ",
);
const SWITCHES = ["find-max", "dry-run", "spread-addresses", "i-own-this-host"];

export const LOAD_FLAGS: readonly CommandFlag[] = [
  ...VALUES.map((name) => ({ name, takes: "value" as const })),
  { name: "threshold", takes: "value", joins: "\n" },
  ...SWITCHES.map((name) => ({ name })),
];

export interface Stage {
  readonly over: Ms;
  readonly to: number;
}

/** undefined: the flag was not given. */
export interface LoadFlags {
  readonly ladder: readonly number[] | undefined;
  readonly users: number | undefined;
  readonly rate: number | undefined;
  readonly stages: Stages | undefined;
  readonly profile: string | undefined;
  readonly mix: Mix | undefined;
  readonly hold: Ms | undefined;
  readonly think: Ms | undefined;
  readonly requests: number | undefined;
  readonly patience: Ms | undefined;
  readonly userFile: string | undefined;
  /** URL of the target's admin API, and the file with a viewer's token. */
  readonly admin: string | undefined;
  readonly adminTokenFile: string | undefined;
  readonly seed: number | undefined;
  readonly thresholds: readonly Threshold[];
  readonly json: string | undefined;
  readonly html: string | undefined;
  readonly findMax: boolean;
  readonly dryRun: boolean;
  readonly spread: boolean;
  readonly ownHost: boolean;
}

const MOST_STEPS = 50;
const DAY = minutes(24 * 60);

const users = integer(1, MOST_USERS);

const rungs: Codec<readonly number[]> = {
  looksLike: `1 to ${MOST_STEPS} numbers of users, each from 1 to ${MOST_USERS}, such as 5,10,25,50`,
  format: (value) => value.join(","),
  parse(text) {
    const parts = text.split(",").map((part) => users.parse(part.trim(), "/"));
    const values = parts.flatMap((part) => (part.ok ? [part.value] : []));
    return values.length === parts.length && parts.length <= MOST_STEPS ? parsed(values) : expected(rungs.looksLike);
  },
};

const rate: Codec<number> = {
  looksLike: `requests a second from ${LEAST_RATE} to ${MOST_RATE}`,
  format: String,
  parse(text) {
    const value = /^\d{1,6}(?:\.\d{1,3})?$/.test(text) ? Number(text) : Number.NaN;
    return value >= LEAST_RATE && value <= MOST_RATE ? parsed(value) : expected(rate.looksLike);
  },
};

export interface Stages {
  readonly parts: readonly Stage[];
  readonly model: "closed" | "open";
}

const over = duration(ms(100), DAY);
/** `10m:300,30m:300,5m:0`; `/s` behind every number: requests a second. */
export const stagesCodec: Codec<Stages> = {
  looksLike: `up to ${MOST_STEPS} stages TIME:USERS, such as 10m:300,30m:300,5m:0 (or TIME:RATE/s, all of them)`,
  format: ({ parts }) => parts.map(({ over: time, to }) => `${time}ms:${to}`).join(","),
  parse(text) {
    const words = text.split(",").map((word) => /^\s*([^:\s]+):(\d{1,6})(\/s)?\s*$/.exec(word));
    const open = words.filter((word) => word?.[3] !== undefined).length;
    const parts = words.flatMap((word): Stage[] => {
      const time = over.parse(word?.[1] ?? "", "/");
      const to = Number(word?.[2] ?? Number.NaN);
      return time.ok && to <= (open > 0 ? MOST_RATE : MOST_USERS) ? [{ over: time.value, to }] : [];
    });
    const good = parts.length === words.length && words.length <= MOST_STEPS && (open === 0 || open === words.length);
    return good ? parsed({ parts, model: open > 0 ? "open" : "closed" }) : expected(stagesCodec.looksLike);
  },
};

const mix: Codec<Mix> = {
  looksLike: "READS/WRITES/EXPORTS, such as 60/30/10",
  format: ({ read, write, export: exports }) => `${read}/${write}/${exports}`,
  parse(text) {
    const [, read, write, exports] = /^(\d{1,6})\/(\d{1,6})\/(\d{1,6})$/.exec(text)?.map(Number) ?? [];
    if (read === undefined || write === undefined || exports === undefined || read + write + exports === 0) return expected(mix.looksLike);
    return parsed({ read, write, export: exports });
  },
};

export const thinkCodec = duration(ms(0), DAY);

/** @throws DroverError DROVER_E_USAGE naming the flag, the value and what was expected. */
export function readLoadFlags(own: ReadonlyMap<string, string>): LoadFlags {
  const read = <T>(name: string, codec: Codec<T>): T | undefined => {
    const text = own.get(name);
    return text === undefined ? undefined : readAs(`--${name} ${text}`, text, codec);
  };
  const flags: LoadFlags = {
    ladder: read("ladder", rungs),
    users: read("users", users),
    rate: read("rate", rate),
    stages: read("stages", stagesCodec),
    profile: own.get("profile"),
    mix: read("mix", mix),
    hold: read("hold", duration(seconds(1), DAY)),
    think: read("think", thinkCodec),
    requests: read("requests", integer(1, 1_000_000_000)),
    patience: read("patience", duration(ms(100), minutes(10))),
    userFile: own.get("user-file"),
    admin: own.get("admin"),
    adminTokenFile: own.get("admin-token-file"),
    seed: read("seed", integer(0, 4_294_967_295)),
    thresholds: own.get("threshold")?.split("\n").map(parseThreshold) ?? [],
    json: own.get("json"),
    html: own.get("html"),
    findMax: own.has("find-max"),
    dryRun: own.has("dry-run"),
    spread: own.has("spread-addresses"),
    ownHost: own.has("i-own-this-host"),
  };
  together(flags);
  return flags;
}

/** @param what names the value in the error. */
export function readAs<T>(what: string, text: string, codec: Codec<T>): T {
  const result = codec.parse(text, "/");
  if (result.ok) return result.value;
  throw new DroverError("DROVER_E_USAGE", `${what}: expected ${result.problem}`);
}

const never = (message: string): never => {
  throw new DroverError("DROVER_E_USAGE", message);
};

/** Flags that contradict each other. */
function together(flags: LoadFlags): void {
  const shapes = (["ladder", "users", "rate", "stages"] as const).filter((name) => flags[name] !== undefined);
  if (shapes.length > 1) never(`--${shapes.join(" and --")} are different runs: choose one`);
  if (flags.findMax && (flags.ladder ?? flags.stages) !== undefined)
    never("--find-max begins at --users or --rate: leave out --ladder and --stages");
  if (flags.rate !== undefined && flags.think !== undefined) never("--rate has no users who think: leave out --think");
  if (flags.stages !== undefined && flags.hold !== undefined) never("--stages says how long each stage lasts: leave out --hold");
  if (flags.requests !== undefined && (flags.users ?? flags.rate) === undefined) never("--requests needs --users or --rate");
  if (flags.requests !== undefined && flags.findMax) never("--find-max measures for a time, not for --requests: leave one of them out");
  if ((flags.admin === undefined) !== (flags.adminTokenFile === undefined))
    never("--admin URL and --admin-token-file FILE need each other: the token is a viewer's (drover dashboard --token viewer)");
  const files = [flags.json, flags.html].filter((file) => file !== undefined);
  if (files.includes("")) never("--json and --html need a file's name each");
}

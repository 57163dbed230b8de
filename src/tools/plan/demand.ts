/** Other sources of a demand than single numbers: a traffic profile, a curve of arrivals, sizes by kind, several regions. */
import { readProfile, type Profile } from "../../load/profile.ts";
import { actionsFor, personasFor, systemRate } from "../../load/profile-lint.ts";
import { thinkOf } from "../../load/traffic.ts";
import { launchOf, stayFor, type Arrivals, type Launch } from "./model/arrivals.ts";
import type { PlanInput } from "./model/types.ts";
import { sessionOf } from "./model/sizes.ts";
import { readFile } from "./files.ts";
import type { PlanFlags } from "./flags.ts";

/** Seconds that a visitor stays, if nothing says otherwise. */
const STAY = 600;

/** Users at once, requests a second of each, and writes, as the profile of a load run has them. */
export function profiled(input: PlanInput, { profile: file }: PlanFlags): PlanInput {
  if (file === undefined) return input;
  const profile = readProfile(readFile("--profile ", file), file);
  const { demand } = input;
  const { simultaneous, mix } = profile;
  const writes = mix === undefined ? undefined : mix.write / (mix.read + mix.write + mix.export);
  const rate = rateOf(profile, simultaneous ?? demand.users);
  return {
    ...input,
    demand: {
      ...demand,
      users: simultaneous ?? demand.users,
      rate: rate ?? demand.rate,
      writes: writes ?? demand.writes,
    },
  };
}

/** Requests a second of one user. */
function rateOf(profile: Profile, users: number): number | undefined {
  const { actions, personas, reading } = profile;
  if (actions.length === 0) return undefined;
  if (reading === "system") return systemRate(profile) / users;
  if (personas !== undefined)
    return 1_000 / thinkOf({ actions: [], personas: personasFor(actions, personas) });
  return 1_000 / thinkOf({ actions: actionsFor(actions, reading === "user" ? "user" : "session") });
}

/** @returns undefined without `--arrivals`. */
export function launch({ arrivals, visitors, stay }: PlanFlags): Launch | undefined {
  if (arrivals === undefined || visitors === undefined) return undefined;
  const curve: Arrivals = { visitors, curve: arrivals.curve };
  const implied = arrivals.atOnce === undefined ? STAY : stayFor(curve, arrivals.atOnce * visitors);
  return launchOf(curve, stay === undefined ? implied : stay / 1_000);
}

/** Users at once at the peak of the arrivals. */
export function launched(input: PlanInput, flags: PlanFlags): PlanInput {
  const found = launch(flags);
  if (found === undefined) return input;
  return { ...input, demand: { ...input.demand, users: found.users } };
}

/** The mean size of an answer. */
export function sized(input: PlanInput, { sizes }: PlanFlags): PlanInput {
  if (sizes === undefined) return input;
  return { ...input, demand: { ...input.demand, bytes: Math.round(sessionOf(sizes).mean) } };
}

/** One region's part: its users, and its part of the quota that all regions share. */
export function regional(input: PlanInput, { regions = 1 }: PlanFlags): PlanInput {
  if (regions === 1) return input;
  const { demand, upstream } = input;
  return {
    ...input,
    demand: { ...demand, users: Math.ceil(demand.users / regions) },
    upstream: { ...upstream, reads: upstream.reads / regions, writes: upstream.writes / regions },
  };
}

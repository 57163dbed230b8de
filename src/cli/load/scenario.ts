/** From flags and a profile to who does what, how many, and for how long. */
import { DroverError } from "../../base/errors.ts";
import { minutes, seconds, type Ms } from "../../base/units.ts";
import { LOGIN, type Profile } from "../../load/profile.ts";
import type { Phase } from "../../load/profile-users.ts";
import { actionsFor, lintProfile, personasFor, systemRate } from "../../load/profile-lint.ts";
import { counted, held, ladder, LADDER, stages, type Step } from "../../load/shape.ts";
import { parseThreshold, withUsual, type Threshold } from "../../tools/load/thresholds.ts";
import { LOGIN as SIGN_IN } from "../../tools/load/engine/recorder.ts";
import { possible, READS_ONLY, type Action, type Endpoint, type Mix, type Person, type Traffic } from "../../load/traffic.ts";
import { readAs, stagesCodec, thinkCodec, type LoadFlags } from "./flags.ts";

export interface Scenario {
  readonly steps: readonly Step[];
  readonly traffic: Traffic;
  readonly thresholds: readonly Threshold[];
  /** Where the profile does not add up, and what of it can't be done. */
  readonly notes: readonly string[];
}

const HOLD = seconds(20);
/** So long a run of --requests may take at most. */
const LONGEST = minutes(10);
const THINK = seconds(1);

export function scenarioOf(
  flags: LoadFlags,
  profile: Profile | undefined,
  endpoints: readonly Endpoint[],
  people: readonly Person[],
): Scenario {
  const wanted = flags.mix ?? profile?.mix ?? READS_ONLY;
  const { mix, missing } = possible(wanted, endpoints);
  const steps = stepsOf(flags, profile);
  const open = steps.every(({ model }) => model === "open");
  const login = profile?.login ?? (people.length > 0 ? LOGIN : undefined);
  const traffic: Traffic = {
    endpoints,
    mix: anything(mix, wanted, endpoints),
    actions: open ? [{ name: "request", weight: 1, requests: 1, thinkMs: 0 }] : actionsOf(flags, profile),
    ...(open ? {} : personasOf(flags, profile)),
    people,
    ...(login === undefined ? {} : { login }),
  };
  if (login !== undefined && people.length === 0)
    throw new DroverError("DROVER_E_USAGE", "the profile has a login: name who signs in with --user-file FILE (lines USER,CODE)");
  const named = flags.thresholds.length > 0 ? flags.thresholds : (profile?.thresholds ?? []).map(parseThreshold);
  return {
    steps,
    traffic,
    thresholds: withUsual(named.map((one) => about(one, traffic))),
    notes: [
      ...(profile === undefined ? [] : lintProfile(profile).map((line) => `${profile.file}: ${line}`)),
      ...missing.map((kind) => missingNote(kind, wanted, endpoints)),
    ],
  };
}

/** An endpoint's name may have blanks, which the notation does not keep. @throws DroverError DROVER_E_USAGE for one that nobody asks for. */
function about(threshold: Threshold, { endpoints, login, mix }: Traffic): Threshold {
  if (threshold.endpoint === undefined) return threshold;
  const asked = endpoints.filter((one) => one.weight > 0 && mix[one.class] > 0).map(({ name }) => name);
  const names = [...asked, ...(login === undefined ? [] : [SIGN_IN])];
  const endpoint = names.find((name) => name.replaceAll(/\s+/g, "") === threshold.endpoint);
  if (endpoint !== undefined) return { ...threshold, endpoint };
  throw new DroverError(
    "DROVER_E_USAGE",
    `threshold "${threshold.text}": no endpoint of that name is asked for: there are ${names.join(", ")}`,
  );
}

/** A mix of which nothing can be asked: then what there is, is. */
function anything(mix: Mix, wanted: Mix, endpoints: readonly Endpoint[]): Mix {
  if (mix.read + mix.write + mix.export > 0) return mix;
  const some = endpoints.find(({ weight }) => weight > 0);
  if (some === undefined || wanted !== READS_ONLY)
    throw new DroverError("DROVER_E_USAGE", "of this mix nothing can be asked of the target: name endpoints in a profile");
  return { read: 0, write: 0, export: 0, [some.class]: 1 };
}

const missingNote = (kind: string, wanted: Mix, endpoints: readonly Endpoint[]): string =>
  `${kind}: no endpoint is known for it${kind === "write" && endpoints.some(({ name }) => name.startsWith("read ")) ? " (rows are only written to a demo)" : ""}, so it is left out and the rest is taken as a whole; name one in the profile (endpoints.${kind}). The mix was ${wanted.read}/${wanted.write}/${wanted.export}`;

function actionsOf({ think, requests }: LoadFlags, profile: Profile | undefined): Action[] {
  const said =
    think ?? (profile?.think === undefined ? undefined : readAs(`${profile.file}: think "${profile.think}"`, profile.think, thinkCodec));
  if (said === undefined && profile !== undefined && profile.actions.length > 0 && profile.reading !== "system")
    return actionsFor(profile.actions, profile.reading === "user" ? "user" : "session");
  return [{ name: "request", weight: 1, requests: 1, thinkMs: said ?? (requests === undefined ? THINK : 0) }];
}

/** A named pause applies to all users. */
function personasOf({ think }: LoadFlags, profile: Profile | undefined): Pick<Traffic, "personas"> {
  if (profile?.personas === undefined || think !== undefined || profile.think !== undefined) return {};
  if (profile.actions.length === 0)
    throw new DroverError("DROVER_E_USAGE", `${profile.file}: users.personas do actions an hour: expected actions, which say what one is`);
  return { personas: personasFor(profile.actions, profile.personas) };
}

function stepsOf(flags: LoadFlags, profile: Profile | undefined): readonly Step[] {
  const hold = flags.hold ?? HOLD;
  const step = (model: "closed" | "open", value: number): Step =>
    flags.requests === undefined
      ? held(model, value, hold)
      : counted(model, value, { most: flags.requests, within: flags.hold ?? LONGEST });
  if (flags.stages !== undefined) return stages(flags.stages.parts, flags.stages.model);
  if (flags.ladder !== undefined) return ladder(flags.ladder, hold);
  if (flags.users !== undefined) return [step("closed", flags.users)];
  if (flags.rate !== undefined) return [step("open", flags.rate)];
  if (profile === undefined || flags.findMax) return flags.findMax ? [held("closed", LADDER[0], hold)] : ladder(LADDER, hold);
  if (flags.hold !== undefined && (profile.stages ?? profile.phases) !== undefined)
    throw new DroverError(
      "DROVER_E_USAGE",
      `${profile.file} says how long each stage lasts: leave out --hold, or name --users, --rate or --stages, which replace its ramp`,
    );
  return profileSteps(profile, hold);
}

function profileSteps(profile: Profile, hold: Ms): readonly Step[] {
  const { stages: written, phases, simultaneous, reading, actions, file } = profile;
  if (written !== undefined) {
    const { parts, model } = readAs(`${file}: stages "${written}"`, written, stagesCodec);
    if (parts.every(({ to }) => to === 0))
      throw new DroverError("DROVER_E_USAGE", `${file}: stages "${written}": nobody ever comes: every stage ends at 0`);
    return stages(parts, model);
  }
  if (phases !== undefined) return phaseSteps(profile, phases);
  if (reading === "system" && actions.length > 0) return [held("open", systemRate(profile), hold)];
  return simultaneous === undefined ? ladder(LADDER, hold) : [held("closed", simultaneous, hold)];
}

/** The ramp as it is written; where the frequencies are the whole system's, its rate rises and falls with the users. */
function phaseSteps(profile: Profile, phases: readonly Phase[]): readonly Step[] {
  const { reading, actions } = profile;
  const isOpen = reading === "system" && actions.length > 0;
  const each = isOpen ? systemRate(profile) / Math.max(...phases.map(({ users }) => users)) : 1;
  return stages(
    phases.map(({ name, seconds: long, users }) => ({ label: name, over: seconds(long), to: Number((users * each).toFixed(3)) })),
    isOpen ? "open" : "closed",
  );
}

/** Where a profile does not add up. The same three lines of a launch plan are read in three ways, and the figures can't all be true. */
import { DroverError } from "../base/errors.ts";
import { LEAST_RATE, MOST_RATE } from "./bounds.ts";
import { classOf, type Profile, type ProfileAction, type Reading } from "./profile.ts";
import type { Persona as ProfilePersona } from "./profile-users.ts";
import { thinkOf, type Action, type Persona } from "./traffic.ts";

const total = (actions: readonly ProfileAction[], of: (action: ProfileAction) => number): number =>
  actions.reduce((sum, action) => sum + of(action), 0);

/** What the actions come to, however they are meant. */
export interface Readings {
  /** Requests a second, the frequencies being those of the whole system, and the users who are then at work at once (Little's law). */
  readonly system: { readonly perSecond: number; readonly users: number };
  /** Requests a second of one user, the frequencies being each user's, and the minutes of work in that user's hour. */
  readonly user: { readonly perSecond: number; readonly minutes: number };
  /** Requests a second of one user who goes from one action to the next. */
  readonly session: { readonly perSecond: number };
}

export function readings(actions: readonly ProfileAction[]): Readings {
  const requests = total(actions, ({ perHour, requests }) => perHour * requests);
  const busy = total(actions, ({ perHour, seconds }) => perHour * seconds);
  return {
    system: { perSecond: requests / 3_600, users: busy / 3_600 },
    user: { perSecond: requests / 3_600, minutes: busy / 60 },
    session: { perSecond: requests / busy },
  };
}

/** The rate of the reading "system". @throws DroverError DROVER_E_USAGE naming it where no generator sends at it. */
export function systemRate({ actions, file }: Pick<Profile, "actions" | "file">): number {
  const { perSecond } = readings(actions).system;
  if (perSecond >= LEAST_RATE && perSecond <= MOST_RATE) return Number(perSecond.toFixed(3));
  throw new DroverError(
    "DROVER_E_USAGE",
    `${file}: actions: as an hour of the whole system (frequency.per) they come to ${shortly(perSecond)} requests/s: expected ${LEAST_RATE} to ${shortly(MOST_RATE)}`,
  );
}
const shortly = (value: number): string => value.toLocaleString("en-US", { maximumSignificantDigits: 3 });

/** The actions as each persona does them: spread over their duration, then a rest until the persona's next one. */
export function personasFor(actions: readonly ProfileAction[], personas: readonly ProfilePersona[]): Persona[] {
  return personas.map(({ name, share, perHour }) => ({
    name,
    weight: share,
    actions: actions.map((action) => ({
      name: action.name,
      weight: action.perHour,
      requests: action.requests,
      thinkMs: (action.seconds * 1_000) / action.requests,
      restMs: Math.max(0, 3_600 / perHour - action.seconds) * 1_000,
    })),
  }));
}

/** The actions with the pauses that a reading gives them. "system" is an open rate: there are no pauses. */
export function actionsFor(actions: readonly ProfileAction[], reading: "session" | "user"): Action[] {
  const each = readings(actions).user.perSecond;
  return actions.map(({ name, perHour, requests, seconds }) => ({
    name,
    weight: perHour,
    requests,
    thinkMs: reading === "user" ? 1_000 / each : (seconds * 1_000) / requests,
  }));
}

const round = (value: number): string => Number(value.toPrecision(3)).toLocaleString("en-US", { maximumFractionDigits: 2 });
const percent = (ratio: number): string => `${round(ratio * 100)} %`;
/** By how much people round. */
const SLACK = 1.25;
const HOUR = 60;

/** @returns sentences; none when all is well. */
export function lintProfile(profile: Profile): string[] {
  const { total: all, simultaneous, phases, stages, mixSum, personasSum, unused } = profile;
  const most = phases === undefined ? undefined : Math.max(...phases.map(({ users }) => users));
  const odd = (sum: number | undefined): boolean => sum !== undefined && Math.abs(sum - 100) > 0.5 && Math.abs(sum - 1) > 0.005;
  return [
    ...(all !== undefined && simultaneous !== undefined && simultaneous > all
      ? [`users: ${simultaneous} at once are more than the ${all} in total`]
      : []),
    ...(most !== undefined && simultaneous !== undefined && most !== simultaneous
      ? [`users: ${simultaneous} at once, but ${most} at the peak of users.distribution: the ramp is taken`]
      : []),
    ...(phases !== undefined && stages !== undefined ? ["users.distribution: not used, stages is taken in its place"] : []),
    ...lintActions(profile),
    ...lintMix(profile),
    ...(odd(mixSum) ? [`distribution: the shares come to ${round(mixSum ?? 0)}, not to 100: taken as parts of that`] : []),
    ...(odd(personasSum) ? [`users.distribution: the shares come to ${round(personasSum ?? 0)}, not to 100`] : []),
    ...(unused.length > 0 ? [`not used here: ${unused.join(", ")}`] : []),
  ];
}

function lintActions({ actions, simultaneous, reading, personas = [] }: Profile): string[] {
  if (actions.length === 0 || simultaneous === undefined) return [];
  const { system, user, session } = readings(actions);
  const ratio = simultaneous / system.users;
  const few = ratio > SLACK || ratio < 1 / SLACK;
  const busy = user.minutes > HOUR;
  if (!few || (!busy && reading === "user")) return [];
  const taken = (one: Reading): string => (one === reading ? " (taken here)" : "");
  return [
    busy
      ? `actions: ${simultaneous} users at once and these frequencies can't both be true (Little's law: users = arrivals × duration):`
      : `actions: whose hour is it? Of ${simultaneous} users at once (name it: frequency.per):`,
    `  an hour of the whole system: ${round(system.perSecond)} requests/s, ${round(system.users)} users at once${taken("system")}`,
    `  an hour of each user: ${round(user.perSecond * simultaneous)} requests/s, ${round(user.minutes)} minutes of work in each hour${taken("user")}`,
    `  each user from one action to the next: ${round(session.perSecond * simultaneous)} requests/s${taken("session")}`,
    ...(reading === "persona"
      ? [
          `  each persona at its pace: ${round((simultaneous * 1_000) / thinkOf({ actions: [], personas: personasFor(actions, personas) }))} requests/s${taken("persona")}`,
        ]
      : []),
  ];
}

function lintMix({ actions, mix }: Profile): string[] {
  if (actions.length === 0 || mix === undefined) return [];
  const done = total(actions, ({ perHour }) => perHour);
  const asked = mix.read + mix.write + mix.export;
  return (["write", "export"] as const).flatMap((kind) => {
    const share =
      total(
        actions.filter(({ name }) => (classOf(name) ?? "read") === kind),
        ({ perHour }) => perHour,
      ) / done;
    const said = mix[kind] / asked;
    return Math.abs(share - said) < 0.01
      ? []
      : [`distribution: ${percent(said)} ${kind}s, but ${percent(share)} of the actions are: the distribution is taken`];
  });
}

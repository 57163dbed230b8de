/** The `users` of a profile: how many, in which phases they come and go, and who they are. */
import { MOST_USERS } from "./bounds.ts";
import { perHourOf, secondsOf, shareOf, sharesOf, sum, type At, type Fields } from "./profile-fields.ts";

/** A phase of the ramp: to `users` within `seconds`, on a straight line from where the phase before ended. */
export interface Phase {
  readonly name: string;
  readonly seconds: number;
  readonly users: number;
}

/** A kind of user with a pace of its own. */
export interface Persona {
  readonly name: string;
  readonly share: number;
  /** Actions an hour of each of them. */
  readonly perHour: number;
}

export interface ProfileUsers {
  readonly total?: number;
  /** At once; of a ramp its peak, where the profile names no number. */
  readonly simultaneous?: number;
  readonly phases?: readonly Phase[];
  readonly personas?: readonly Persona[];
  /** What the shares of the personas came to. */
  readonly personasSum?: number;
}

const MOST_PEOPLE = 10_000_000;
const MOST_PHASES = 50;

/** @throws DroverError DROVER_E_USAGE naming the place. */
export function usersOf(at: At, value: unknown): ProfileUsers {
  if (value === undefined) return {};
  const users = at.fields("users", value);
  const distribution = users["distribution"];
  const parts = distribution === undefined ? {} : at.fields("users.distribution", distribution);
  const isRamp = Object.values(parts).some((part) => typeof part === "object" && part !== null);
  const phases = isRamp ? phasesOf(at, parts) : undefined;
  const personas = users["personas"] === undefined ? undefined : personasOf(at, users["personas"]);
  const shares = isRamp || distribution === undefined ? undefined : sum(sharesOf(at, "users.distribution", distribution, (name) => name));
  const personasSum = personas === undefined ? shares : personas.reduce((total, { share }) => total + share, 0);
  return {
    ...(phases === undefined ? {} : { phases, simultaneous: Math.max(...phases.map((phase) => phase.users)) }),
    ...whole(at, "total", users, MOST_PEOPLE),
    ...whole(at, "simultaneous", users, MOST_USERS),
    ...(personas === undefined ? {} : { personas }),
    ...(personasSum === undefined ? {} : { personasSum }),
  };
}

function phasesOf(at: At, parts: Fields): Phase[] {
  const entries = Object.entries(parts);
  if (entries.length > MOST_PHASES) at.fail("users.distribution", `${entries.length} of them`, `1 to ${MOST_PHASES}`);
  const phases = entries.map(([name, part]) => {
    const place = `users.distribution.${name}`;
    const { duration, users } = at.fields(place, part);
    const count = at.number(`${place}.users`, users, 0, MOST_USERS);
    return {
      name,
      seconds: secondsOf(at, `${place}.duration`, duration),
      users: Number.isInteger(count) ? count : at.fail(`${place}.users`, count, "a whole number"),
    };
  });
  if (phases.every(({ users }) => users === 0)) at.fail("users.distribution", "phases of 0 users", "at least one with users");
  return phases;
}

/** `{"manager": {"share": 60, "frequency": "10/h"}}`: the actions an hour of each user of that kind. */
function personasOf(at: At, value: unknown): Persona[] {
  const personas = Object.entries(at.fields("users.personas", value)).map(([name, part]) => {
    const place = `users.personas.${name}`;
    const { share, frequency } = at.fields(place, part);
    const perHour = perHourOf(at, `${place}.frequency`, frequency);
    if (perHour <= 0) at.fail(`${place}.frequency`, frequency, "actions an hour above 0");
    return { name, share: shareOf(at, `${place}.share`, share), perHour };
  });
  if (personas.length > MOST_PHASES || !personas.some(({ share }) => share > 0))
    at.fail("users.personas", `${personas.length} of them`, `1 to ${MOST_PHASES} with a share above 0`);
  return personas;
}

function whole<const N extends "total" | "simultaneous">(at: At, name: N, users: Fields, most: number): { readonly [K in N]?: number } {
  if (users[name] === undefined) return {};
  const value = at.number(`users.${name}`, users[name], 1, most);
  return { [name]: Number.isInteger(value) ? value : at.fail(`users.${name}`, value, "a whole number") } as { readonly [K in N]?: number };
}

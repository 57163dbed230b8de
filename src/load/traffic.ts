/** What the users do: the requests, how they are mixed, and the pauses between them. */
import { pick } from "../tools/load/engine/random.ts";

/** read, write and export are the classes of the mix; login is what every user does first. */
export const CLASSES = ["read", "write", "export"] as const;
export type Class = (typeof CLASSES)[number];

/** Weights: nothing of a class at 0. */
export type Mix = Readonly<Record<Class, number>>;
export const READS_ONLY: Mix = { read: 1, write: 0, export: 0 };

export interface Endpoint {
  /** What thresholds and reports call it. */
  readonly name: string;
  readonly class: Class;
  /** Among those of its class. */
  readonly weight: number;
  readonly method: string;
  /** With its query. `{n}` becomes a number that no other request has. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** JSON text; `{n}` as in the path. */
  readonly body?: string;
}

/** One thing that a user does: several requests with a pause before each. */
export interface Action {
  readonly name: string;
  readonly weight: number;
  readonly requests: number;
  /** The mean. */
  readonly thinkMs: number;
  /** The mean pause between the last answer of an action and the first request of this one, in addition to `thinkMs`. */
  readonly restMs?: number;
}

/** A kind of user with a pace of its own. */
export interface Persona {
  readonly name: string;
  readonly weight: number;
  readonly actions: readonly Action[];
}

export interface Login {
  readonly path: string;
  /** JSON text in which `{user}` and `{code}` are replaced. */
  readonly body: string;
}

export interface Person {
  readonly user: string;
  readonly code: string;
}

export interface Traffic {
  readonly endpoints: readonly Endpoint[];
  readonly mix: Mix;
  readonly actions: readonly Action[];
  /** In place of `actions`: each user is one of them. */
  readonly personas?: readonly Persona[];
  readonly login?: Login;
  readonly people: readonly Person[];
}

/** The mean pause before a request, over all that a user does. */
export function meanThink(actions: readonly Action[]): number {
  const [time, requests] = actions.reduce(
    ([time, requests], { weight, requests: several, thinkMs, restMs = 0 }) => [
      time + weight * (several * thinkMs + restMs),
      requests + weight * several,
    ],
    [0, 0],
  );
  return requests === 0 ? 0 : time / requests;
}

/** The mean pause that makes one average user of all personas: rates add up, pauses do not. */
export function thinkOf({ actions, personas = [] }: Pick<Traffic, "actions" | "personas">): number {
  if (personas.length === 0) return meanThink(actions);
  const all = personas.reduce((sum, { weight }) => sum + weight, 0);
  return all / personas.reduce((sum, persona) => sum + persona.weight / Math.max(1, meanThink(persona.actions)), 0);
}

/** Fractional parts of multiples of the golden ratio: any first users of a crowd are mixed as the weights say. */
const GOLDEN = 0.618_033_988_749_894_9;

/** What the n-th user does. */
export function actionsOf({ actions, personas = [] }: Pick<Traffic, "actions" | "personas">, n: number): readonly Action[] {
  if (personas.length === 0) return actions;
  return pick(personas, () => ((n + 0.5) * GOLDEN) % 1).actions;
}

/** The mix without the classes for which there is nothing to ask, and which those are. */
export function possible(mix: Mix, endpoints: readonly Endpoint[]): { readonly mix: Mix; readonly missing: readonly Class[] } {
  const missing = CLASSES.filter((name) => mix[name] > 0 && !endpoints.some((one) => one.class === name && one.weight > 0));
  const entries = CLASSES.map((name) => [name, missing.includes(name) ? 0 : mix[name]] as const);
  return { mix: Object.fromEntries(entries) as unknown as Mix, missing };
}

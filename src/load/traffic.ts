/** What the users do: the requests, how they are mixed, and the pauses between them. */

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
  readonly login?: Login;
  readonly people: readonly Person[];
}

/** The mean pause before a request, over all that users do. */
export function meanThink(actions: readonly Action[]): number {
  const [time, requests] = actions.reduce(
    ([time, requests], action) => [time + action.weight * action.requests * action.thinkMs, requests + action.weight * action.requests],
    [0, 0],
  );
  return requests === 0 ? 0 : time / requests;
}

/** The mix without the classes for which there is nothing to ask, and which those are. */
export function possible(mix: Mix, endpoints: readonly Endpoint[]): { readonly mix: Mix; readonly missing: readonly Class[] } {
  const missing = CLASSES.filter((name) => mix[name] > 0 && !endpoints.some((one) => one.class === name && one.weight > 0));
  const entries = CLASSES.map((name) => [name, missing.includes(name) ? 0 : mix[name]] as const);
  return { mix: Object.fromEntries(entries) as unknown as Mix, missing };
}

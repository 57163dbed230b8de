/** What one user asks next, and how it is sent. */
import { spreadAddress } from "./address.ts";
import { intended } from "./pacing.ts";
import { pick, type Random } from "./random.ts";
import { Session } from "./client.ts";
import type { Fate, Outcome } from "./tally.ts";
import type { Target } from "./target.ts";
import { CLASSES, type Endpoint, type Person, type Traffic } from "./traffic.ts";
import type { Sent } from "./underway.ts";

/** The same for all users of a thread. */
export interface Scene {
  readonly target: Target;
  readonly traffic: Traffic;
  readonly timeoutMs: number;
  /** Each user asks from a loopback address of its own. */
  readonly spread: boolean;
  /** A request leaves. @returns what to call with what came of it. */
  sent(request: Sent): (outcome: Outcome) => void;
  /** False once as many requests have begun as were wanted. To be asked in the same turn in which the request begins. */
  mayAsk(): boolean;
  /** A number that no other request has. */
  number(): string;
}

export const LOGIN = "login";

/** With fewer people than users, several users are one person. */
const personOf = (people: readonly Person[], number: number): Person | undefined => people[number % Math.max(1, people.length)];

export class User {
  readonly chance: Random;
  readonly #scene: Scene;
  readonly #session: Session;
  readonly #person: Person | undefined;

  /** @param number tells this user from all others, of other threads too. */
  constructor(scene: Scene, number: number, chance: Random) {
    this.#scene = scene;
    this.#person = personOf(scene.traffic.people, number);
    this.chance = chance;
    this.#session = new Session(scene.target, scene.timeoutMs, scene.spread ? spreadAddress(number) : undefined);
  }

  get signedIn(): boolean {
    return this.#session.signedIn || this.#scene.traffic.login === undefined;
  }

  /** One request of the mix, or the login where one is still to be made. @param due monotonic ms when it was to be sent. @param waited for a connection to be free. @returns what came of it. */
  async ask(due: number, waited = false): Promise<Fate> {
    if (!this.signedIn) return await this.#signIn(due, waited);
    const endpoint = this.#choose();
    const n = /\{n\}/.test(endpoint.path + (endpoint.body ?? "")) ? this.#scene.number() : "";
    return await this.#send(
      endpoint.name,
      { due, waited },
      {
        ...endpoint,
        path: endpoint.path.replaceAll("{n}", n),
        ...(endpoint.body === undefined ? {} : { body: endpoint.body.replaceAll("{n}", n) }),
      },
    );
  }

  close(): void {
    this.#session.close();
  }

  #choose(): Endpoint {
    const { mix, endpoints } = this.#scene.traffic;
    const kind = pick(
      CLASSES.map((name) => ({ name, weight: mix[name] })),
      this.chance,
    ).name;
    return pick(
      endpoints.filter((one) => one.class === kind),
      this.chance,
    );
  }

  async #signIn(due: number, waited: boolean): Promise<Fate> {
    const { login } = this.#scene.traffic;
    const person = this.#person;
    if (login === undefined || person === undefined) throw new Error("a login needs people");
    const fill = (text: string): string => JSON.stringify(text).slice(1, -1);
    const body = login.body.replaceAll(/\{(user|code)\}/g, (_, name: "user" | "code") => fill(person[name]));
    const fate = await this.#send(LOGIN, { due, waited }, { method: "POST", path: login.path, body });
    this.#session.signedIn = fate === "ok";
    return fate;
  }

  async #send(
    name: string,
    { due, waited }: { readonly due: number; readonly waited: boolean },
    call: Parameters<Session["send"]>[0],
  ): Promise<Fate> {
    const now = performance.now();
    const answered = this.#scene.sent({ endpoint: name, intended: intended(due, now), at: now, waited, login: name === LOGIN });
    const outcome = await this.#session.send(call);
    answered(outcome);
    return outcome.fate;
  }
}

/** What one user sends: the login first, then requests of the mix. */
import { spreadAddress } from "../../../load/address.ts";
import type { Target } from "../../../load/target.ts";
import { CLASSES, type Endpoint, type Person, type Traffic } from "../../../load/traffic.ts";
import { Client, type Call } from "./client.ts";
import type { Outcome } from "./counts.ts";
import { pick, type Random } from "./random.ts";
import { LOGIN, type Recorder } from "./recorder.ts";

export interface EngineOptions {
  readonly target: Target;
  readonly traffic: Traffic;
  readonly timeoutMs: number;
  /** Each user connects from a loopback address of its own. */
  readonly spread: boolean;
  /** Upper bound in the open model; beyond it requests wait, and their latency runs. */
  readonly connections: number;
  readonly seed: number;
  /** Tells the rows of this run from those of another. */
  readonly run: string;
}

/** ms. A timer fires up to this late on an idle machine too. */
const TIMER = 2;

/**
 * When a request's latency begins. A later request counts from when it was due, or a generator that
 * is held up would hide the very delay that it measures (coordinated omission, Gil Tene).
 */
export const intended = (dueAt: number, now: number): number =>
  now - dueAt <= TIMER ? now : dueAt;

export class User {
  readonly chance: Random;
  readonly #options: EngineOptions;
  readonly #recorder: Recorder;
  readonly #client: Client;
  /** With fewer accounts than users, several users share one. */
  readonly #account: Person | undefined;
  #needsLogin: boolean;

  constructor(options: EngineOptions, recorder: Recorder, number: number, chance: Random) {
    const { target, traffic, timeoutMs, spread } = options;
    this.chance = chance;
    this.#options = options;
    this.#recorder = recorder;
    this.#account = traffic.people[number % Math.max(1, traffic.people.length)];
    this.#needsLogin = traffic.login !== undefined;
    this.#client = new Client(target, timeoutMs, spread ? spreadAddress(number) : undefined);
  }

  /**
   * Sends one request.
   * @param dueAt monotonic ms.
   * @param isQueued it is late because no connection was free, which is not the generator's fault.
   */
  async ask(dueAt: number, isQueued = false): Promise<Outcome> {
    if (!this.#needsLogin) return await this.#send(...this.#choose(), dueAt, isQueued);
    const outcome = await this.#send(LOGIN, this.#login(), dueAt, isQueued);
    this.#needsLogin = outcome !== "ok";
    return outcome;
  }

  close(): void {
    this.#client.close();
  }

  #choose(): readonly [string, Call] {
    const { mix, endpoints } = this.#options.traffic;
    const classes = CLASSES.map((name) => ({ name, weight: mix[name] }));
    const { name: kind } = pick(classes, this.chance);
    const endpoint = pick(
      endpoints.filter((one) => one.class === kind),
      this.chance,
    );
    return [endpoint.name, isUnique(endpoint) ? this.#numbered(endpoint) : endpoint];
  }

  #numbered({ path, body, ...endpoint }: Endpoint): Call {
    const number = this.#recorder.nextNumber();
    const filled = (text: string): string =>
      text.replaceAll("{n}", `${this.#options.run}-${number}`);
    const content = body === undefined ? {} : { body: filled(body) };
    return { ...endpoint, path: filled(path), ...content };
  }

  #login(): Call {
    const { login } = this.#options.traffic;
    const account = this.#account;
    if (login === undefined || account === undefined) throw new Error("a login needs an account");
    const fill = (text: string): string => JSON.stringify(text).slice(1, -1);
    const body = login.body.replaceAll(/\{(user|code)\}/g, (_, name: "user" | "code") =>
      fill(account[name]),
    );
    return { method: "POST", path: login.path, body };
  }

  async #send(endpoint: string, call: Call, dueAt: number, isQueued: boolean): Promise<Outcome> {
    const now = performance.now();
    const from = intended(dueAt, now);
    const sent = { endpoint, dueAt: from, lateMs: isQueued ? 0 : now - from };
    this.#recorder.begin(sent);
    const answer = await this.#client.send(call);
    this.#recorder.end(sent, answer, performance.now());
    return answer.outcome;
  }
}

const isUnique = ({ path, body = "" }: Endpoint): boolean =>
  path.includes("{n}") || body.includes("{n}");

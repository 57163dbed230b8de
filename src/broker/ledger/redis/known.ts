/** Sessions that this broker's workers consider active, and their activity since the last batch. */
import type { Clock } from "../../../base/clock.ts";
import { after, between, ms, type Instant, type Ms } from "../../../base/units.ts";
import type { Session } from "../../../sheets/ledger.ts";
import type { Renewal } from "../../../sheets/ledger-host.ts";
import type { SessionLine } from "../sessions.ts";
import { HELD_FOR } from "../slots.ts";

/** Further sessions are asked for at their next use. */
const MOST = 20_000;
const USES = ["active", "held", "known"] as const satisfies readonly (keyof Renewal)[];
type Uses = { readonly [use in keyof Renewal]: Map<string, Session> };
const none = (): Uses => ({ active: new Map(), held: new Map(), known: new Map() });

export class KnownSessions {
  readonly #clock: Clock;
  /** `until`: how long a session is valid while the engine is away. */
  readonly #sessions = new Map<string, { readonly session: Session; readonly until: Instant }>();
  #uses = none();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Marks a session as active for this time. */
  keep(session: Session, span: Ms): void {
    if (this.#sessions.size < MOST || this.#sessions.has(session.id))
      this.#sessions.set(session.id, { session, until: after(this.#clock.now(), span) });
  }

  use({ active, held, known }: Renewal, lease: Ms): void {
    for (const session of active) this.#use("active", session, lease);
    for (const session of held) this.#use("held", session, HELD_FOR);
    for (const session of known) if (this.#uses.known.size < MOST) this.#uses.known.set(session.id, session);
  }

  has({ id }: Session): boolean {
    const known = this.#sessions.get(id);
    return known !== undefined && between(this.#clock.now(), known.until) > 0;
  }

  forget(id: string): void {
    this.#sessions.delete(id);
    for (const use of USES) this.#uses[use].delete(id);
  }

  /** Includes those that workers have reported to a new broker. */
  ids(): readonly string[] {
    return [...new Set([...this.#sessions.keys(), ...this.#uses.known.keys()])];
  }

  /** Those without activity in the next batch. */
  idle(): Session[] {
    const { active, held } = this.#uses;
    return [...this.#sessions.values()].map(({ session }) => session).filter(({ id }) => !active.has(id) && !held.has(id));
  }

  lines(): SessionLine[] {
    const now = this.#clock.now();
    return [...this.#sessions.values()].map(({ session, until }) => ({
      ...session,
      left: ms(Math.max(0, between(now, until))),
      held: false,
    }));
  }

  /** @returns the batch, and starts the next one. */
  take(): Renewal {
    const { active, held, known } = this.#uses;
    this.#uses = none();
    return { active: [...active.values()], held: [...held.values()], known: [...known.values()] };
  }

  /** The batch was not sent: adds it to the next one. */
  giveBack(uses: Renewal): void {
    for (const use of USES) for (const session of uses[use]) if (!this.#uses[use].has(session.id)) this.#uses[use].set(session.id, session);
  }

  #use(use: "active" | "held", session: Session, span: Ms): void {
    if (this.#uses[use].size >= MOST) return;
    this.#uses[use].set(session.id, session);
    this.#uses[use === "active" ? "held" : "active"].delete(session.id);
    this.keep(session, span);
  }
}

/** The sessions that this broker's workers take for in, and what these have done that the engine does not know of. */
import type { Clock } from "../../../base/clock.ts";
import { after, between, ms, type Instant, type Ms } from "../../../base/units.ts";
import type { Session } from "../../../sheets/ledger.ts";
import type { Renewal } from "../../../sheets/ledger-host.ts";
import type { SessionLine } from "../sessions.ts";
import { HELD_FOR } from "../slots.ts";

/** A session beyond that is asked for when it is used next. */
const MOST = 20_000;
const USES = ["active", "held", "known"] as const satisfies readonly (keyof Renewal)[];
type Uses = { readonly [use in keyof Renewal]: Map<string, Session> };
const none = (): Uses => ({ active: new Map(), held: new Map(), known: new Map() });

export class KnownSessions {
  readonly #clock: Clock;
  /** While the engine is away a session is in until then. */
  readonly #sessions = new Map<string, { readonly session: Session; readonly until: Instant }>();
  #uses = none();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** It is in, and will be for this time. */
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
  }

  ids(): readonly string[] {
    return [...this.#sessions.keys()];
  }

  /** Those of which nothing is to be told. */
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

  /** @returns what is to be told; it counts as told. */
  take(): Renewal {
    const { active, held, known } = this.#uses;
    this.#uses = none();
    return { active: [...active.values()], held: [...held.values()], known: [...known.values()] };
  }

  /** It was not told: it goes along with the next. */
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

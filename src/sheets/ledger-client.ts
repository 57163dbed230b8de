/**
 * The ledger as every worker holds it: what it knows of sessions, fed by what the broker pushes, so that a request of an admitted session
 * asks nobody.
 *
 *   unknown ─ enter ─→ in ─ pushed: ended, or ended here ─→ out (remembered)
 *                      └─ pushed: expired ─→ unknown
 *
 * While the broker is unavailable admitted sessions stay in, and counts go on here. A session that is ended here is out at once; the end is
 * repeated to the broker until it is durable (endings.ts). Uses of sessions are reported in batches: with one that is lost some seconds
 * of a lease are.
 */
import { LRUCache } from "lru-cache";
import type { Clock } from "../base/clock.ts";
import { systemClock } from "../base/clock.ts";
import { slotsState, type SlotsState } from "../base/slots.ts";
import { after, between, ms, seconds, type Instant, type Ms } from "../base/units.ts";
import { roomOf, tallyOf, Windows, type Counted } from "../base/window.ts";
import type { Admission, Deed, Entry, Ledger, Session, Spent, Tallies } from "./ledger.ts";
import { MOST_DEEDS, MOST_SESSIONS } from "./ledger-host.ts";
import type { LedgerLink } from "./ledger-link.ts";
import { Endings } from "./endings.ts";
import { COME_AGAIN, deeds as sayable, isSession } from "./ledger-wire.ts";
import { atMost } from "./room.ts";
import { Tallying } from "./tallying.ts";

type Why = "taken-over" | "revoked" | "expired";
type Over = Extract<Spent, { is: "over" }>;
type Ended = (sessionId: string, why: Why) => void;

/** What sessions did is told so often; open streams are held by it, so it must be well below how long one holds a lease. */
const TELL_EVERY = seconds(5);
/** Of sessions that are in, and of those that are out. More than there are slots, so that nobody asks twice. */
const MOST_KNOWN = 20_000;
/** A key that is over is refused here for so long before the broker is asked again. */
const REFUSE_FOR = seconds(1);
/** A broker that has been away for longer is not waited for. */
const RELOAD_TAKES = seconds(1);
const MOST_OVER = 10_000;
const DAY = seconds(24 * 3_600);

export interface LedgerClientOptions {
  readonly clock?: Clock;
  /** How often what sessions did is told. */
  readonly tellEvery?: Ms;
}

class Client implements Ledger, Tallies {
  readonly #link: LedgerLink;
  readonly #clock: Clock;
  readonly #tellEvery: Ms;
  readonly #in = new LRUCache<string, Session>(atMost(MOST_KNOWN));
  readonly #out = new LRUCache<string, "taken-over" | "revoked">(atMost(MOST_KNOWN));
  readonly #active = new Map<string, Session>();
  /** Open streams of each session. */
  readonly #holds = new Map<string, { readonly session: Session; streams: number }>();
  readonly #entering = new Map<string, Promise<Entry>>();
  /** Keys that were over, and until when nobody asks. */
  readonly #over = new LRUCache<string, { readonly until: Instant; readonly freeAt: Instant; readonly times: number }>(atMost(MOST_OVER));
  readonly #listeners = new Set<Ended>();
  readonly #tallying: Tallying;
  readonly #endings: Endings;
  /** What is counted here while the broker is away. */
  #alone = new Windows();
  #slots: SlotsState = slotsState(0, 1);
  #up = false;
  #downSince: Instant;
  #timer: NodeJS.Timeout | undefined;

  constructor(link: LedgerLink, { clock = systemClock, tellEvery = TELL_EVERY }: LedgerClientOptions) {
    this.#link = link;
    this.#clock = clock;
    this.#tellEvery = tellEvery;
    this.#downSince = clock.now();
    this.#endings = new Endings((session) => link.leave(session), tellEvery);
    this.#tallying = new Tallying(clock, (tallies) => link.tally(tallies));
    link.listen({
      slots: (state) => void (this.#slots = state),
      ended: (session, why) => this.#ended(session, why),
      tallied: (tallies) => this.#tallying.heard(tallies),
      link: (up) => this.#linked(up),
    });
  }

  enter(session: Session, before?: Session): Promise<Admission>;
  enter(session: Session, before: Session | undefined, within: readonly Deed[]): Promise<Entry>;
  enter(session: Session, before?: Session, within: readonly Deed[] = []): Promise<Entry> {
    if (!isSession(session)) return Promise.resolve({ is: "revoked" }); // no cookie of ours says such a thing
    const over = this.#knownOver(within);
    if (over !== undefined) return Promise.resolve(over);
    const underWay = this.#entering.get(session.id);
    if (underWay !== undefined) return underWay;
    const entering = this.#enter(session, isSession(before) ? before : undefined, within).finally(() => this.#entering.delete(session.id));
    this.#entering.set(session.id, entering);
    return entering;
  }

  standing({ id }: Session): Admission | undefined {
    if (this.#in.get(id) !== undefined) return { is: "in" };
    const out = this.#out.get(id) ?? (this.#endings.has(id) ? "revoked" : undefined);
    return out === undefined ? undefined : { is: out };
  }

  active(session: Session): void {
    if (!this.#in.has(session.id)) return;
    this.#active.set(session.id, session);
    this.#arm();
  }

  holds(session: Session): () => void {
    const { id } = session;
    const held = this.#holds.get(id) ?? { session, streams: 0 };
    held.streams += 1;
    this.#holds.set(id, held);
    this.#arm();
    let open = true;
    return () => {
      if (!open) return;
      open = false;
      held.streams -= 1;
      if (held.streams > 0) return;
      if (this.#holds.get(id) === held) this.#holds.delete(id);
      this.active(session); // from now on it has the time of one who has just done something
    };
  }

  leave(session: Session): Promise<boolean> {
    this.#ended(session.id, "revoked");
    return isSession(session) ? this.#endings.end(session) : Promise.resolve(true); // no broker admits such a session
  }

  slots(): SlotsState {
    return this.#slots;
  }

  async spend(deeds: readonly Deed[]): Promise<Spent> {
    const over = this.#knownOver(deeds);
    if (over !== undefined) return over;
    const now = this.#clock.now();
    // A reload is over within that time, and the successor answers.
    const asks = this.#up || between(this.#downSince, now) < RELOAD_TAKES;
    const spent = asks ? await this.#link.spend(deeds) : undefined;
    const result = spent ?? this.#spendAlone(deeds);
    if (result.is === "over") this.#remember(result, deeds);
    return result;
  }

  /** @throws RangeError for deeds that can't be said. @returns a refusal of less than a second ago, which is repeated without asking. */
  #knownOver(deeds: readonly Deed[]): Over | undefined {
    if (!sayable(deeds))
      throw new RangeError(`at most ${MOST_DEEDS} deeds, with keys of at most 500 characters and windows from 1s to a day`);
    const now = this.#clock.now();
    for (const { key, times = 1 } of deeds) {
      const over = this.#over.get(key);
      if (over !== undefined && over.until > now && times >= over.times)
        return { is: "over", key, retryAfter: ms(Math.max(1, Math.ceil(between(now, over.freeAt)))) };
    }
    return undefined;
  }

  refund(deeds: readonly Deed[]): void {
    for (const { key } of deeds) this.#over.delete(key);
    if (this.#up) return this.#link.refund(deeds);
    for (const deed of deeds) this.#alone.remove(tallyOf(countedOf(deed)), this.#clock.now());
  }

  count(deed: Deed & { readonly per: Ms }): Spent {
    return this.#tallying.count(deed);
  }

  onEnded(listener: Ended): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  async #enter(session: Session, before: Session | undefined, within: readonly Deed[]): Promise<Entry> {
    const admission = await (within.length === 0 ? this.#link.enter(session, before) : this.#link.enter(session, before, within));
    if (admission?.is === "over") this.#remember(admission, within);
    if (admission === undefined) return this.standing(session) ?? { is: "away", retryAfter: COME_AGAIN };
    if (admission.is === "taken-over" || admission.is === "revoked") this.#out.set(session.id, admission.is);
    if (admission.is !== "in") return admission;
    const standing = this.standing(session);
    if (standing !== undefined && standing.is !== "in") return standing; // ended while the answer was on its way
    this.#in.set(session.id, session);
    return admission;
  }

  #ended(id: string, why: Why): void {
    this.#in.delete(id);
    this.#active.delete(id);
    if (why !== "expired") {
      this.#out.set(id, why);
      this.#holds.delete(id);
    }
    for (const listener of this.#listeners) listener(id, why);
  }

  #linked(up: boolean): void {
    this.#up = up;
    if (!up) return void (this.#downSince = this.#clock.now());
    this.#alone = new Windows();
    this.#endings.linked();
    // It may be another broker, and what was pushed meanwhile did not come here.
    this.#tell([...this.#in.values()].filter(({ id }) => !this.#active.has(id) && !this.#holds.has(id)));
  }

  #arm(): void {
    this.#timer ??= setTimeout(() => this.#tell(), this.#tellEvery).unref();
  }

  #tell(known: readonly Session[] = []): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#up) {
      const held = [...this.#holds.values()].map(({ session }) => session);
      const active = [...this.#active.values()].filter(({ id }) => !this.#holds.has(id));
      this.#active.clear();
      const part = (of: readonly Session[], from: number) => of.slice(from, from + MOST_SESSIONS);
      for (let from = 0; from < Math.max(active.length, held.length, known.length); from += MOST_SESSIONS)
        this.#link.renew({ active: part(active, from), held: part(held, from), known: part(known, from) });
    }
    if (this.#holds.size > 0 || this.#active.size > 0) this.#arm();
  }

  #remember({ key, retryAfter }: Over, deeds: readonly Deed[]): void {
    const now = this.#clock.now();
    const times = deeds.find((deed) => deed.key === key)?.times ?? 1; // for fewer there may be room
    this.#over.set(key, { until: after(now, ms(Math.min(REFUSE_FOR, retryAfter))), freeAt: after(now, retryAfter), times });
  }

  /** Each worker for itself: together they let through up to as many times the limit as there are workers. */
  #spendAlone(deeds: readonly Deed[]): Spent {
    const now = this.#clock.now();
    const counted = deeds.map(countedOf);
    const levels = counted.map((deed) => ({ deed, level: this.#alone.level(deed, now) }));
    const over = levels.find(({ level }) => level.waits > 0);
    if (over !== undefined) return { is: "over", key: over.deed.key, retryAfter: over.level.waits };
    for (const deed of counted) this.#alone.add(tallyOf(deed), now);
    const [tightest] = levels
      .map(({ deed, level }) => ({
        key: deed.key,
        most: roomOf(deed),
        left: Math.floor(roomOf(deed) - level.used - deed.times),
        resetIn: deed.per,
      }))
      .toSorted((a, b) => a.left / a.most - b.left / b.most);
    return {
      is: "ok",
      left: tightest?.left ?? 0,
      resetIn: tightest?.resetIn ?? ms(0),
      ...(tightest === undefined ? {} : { key: tightest.key }),
    };
  }
}

const countedOf = (deed: Deed): Counted => ({ ...deed, per: deed.per === "day" ? DAY : deed.per, times: deed.times ?? 1 });

/** A worker's ledger over a link to the broker's. */
export function createLedger(link: LedgerLink, options: LedgerClientOptions = {}): Ledger & Tallies {
  return new Client(link, options);
}

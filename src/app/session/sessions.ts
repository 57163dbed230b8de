/**
 * Sessions without a store: all that a worker must know stands in the cookie, sealed. Whether it still counts (nobody has taken its place,
 * no operator ended it) the ledger says, of which every worker has a copy; so a request of somebody who is in asks nobody.
 *
 *   cookie ─ opens? ─ not too old? ─ account still there, same role? ─ ledger: in ─→ a member
 *      │ none            any “no”: 401, and the browser forgets the cookie
 *      └→ a stranger
 */
import { randomBytes } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { LRUCache } from "lru-cache";
import type { Clock } from "../../base/clock.ts";
import type { Logger } from "../../base/log.ts";
import { elapsed, minutes, ms, type Ms, type Timestamp } from "../../base/units.ts";
import type { Admission, Deed, Entry, Ledger, Session } from "../../sheets/ledger.ts";
import { COME_AGAIN } from "../../sheets/ledger-wire.ts";
import { atMost } from "../../sheets/room.ts";
import { foldName, type SecretKey } from "../../sheets/secrets.ts";
import type { Clients, Reader } from "../../worker/app.ts";
import type { SlotNoun } from "../../base/slots.ts";
import type { Problem } from "../problem.ts";
import { admissionProblem } from "../refusals/admission.ts";
import { EXPIRED } from "../refusals/login.ts";
import { audiencesOf } from "../visibility.ts";
import type { Account, Accounts, Directory } from "./accounts.ts";
import { cookieOf, setCookie } from "./cookie.ts";
import { seal, unseal } from "./seal.ts";
import { memberOf, STRANGER, type Identity, type Standing } from "./who.ts";

export interface SessionSettings {
  /** The first seals, all open. */
  readonly keys: readonly SecretKey[];
  readonly idle: Ms;
  readonly lifetime: Ms;
  /** What holds a slot, for the sentence of a full service. */
  readonly noun: SlotNoun;
}

export interface SessionParts extends SessionSettings {
  readonly ledger: Ledger;
  readonly clients: Clients;
  readonly accounts: Accounts;
  readonly clock: Clock;
  readonly log: Logger;
}

/** A cookie that opened. */
interface Opened {
  readonly identity: Identity;
  readonly reader: Reader;
  /** The accounts that it was last looked for in, and whether it stood there. */
  checked: { readonly directory: Directory; readonly stands: boolean } | undefined;
}

/** Cookies kept open: more sessions than a machine has slots. */
const MOST_OPEN = 10_000;
/** A cookie is made anew when so much of the idle time has gone. */
const STEP = 1 / 20;
/**
 * An answer without an end can give no cookie but at its beginning. After so much of the idle time it ends, and the next one begins with
 * a new cookie: who only watches is not idle. At a time of each client's own, so that those who came together do not come back together.
 */
const LONGEST_HELD = [0.4, 0.8] as const;

const DAY = minutes(24 * 60);
const PLAIN =
  "somebody logs in over plain HTTP: put a proxy with TLS in front that sets X-Forwarded-Proto, and name it in DROVER_TRUSTED_PROXIES; or set DROVER_TLS_CERT";

export type Begun = { readonly is: "in"; readonly identity: Identity } | Exclude<Entry, { is: "in" }>;

export class Sessions {
  readonly #parts: SessionParts;
  readonly #opened = new LRUCache<string, Opened>(atMost(MOST_OPEN));
  readonly #standings = new WeakMap<IncomingMessage, Promise<Standing>>();
  readonly #watched = new Map<string, Set<() => void>>();
  readonly #unsubscribe: () => void;
  #warned = false;

  constructor(parts: SessionParts) {
    this.#parts = parts;
    this.#unsubscribe = parts.ledger.onEnded((id) => this.#ended(id));
  }

  close(): void {
    this.#unsubscribe();
  }

  /** Who asks, if that is known at once: for the worker's hit path. A cookie that is no good is the application's to answer. */
  readonly reader = (req: IncomingMessage): Reader | undefined => {
    const opened = this.#open(req);
    if (opened === undefined || !this.#isGood(opened)) return undefined;
    return this.#parts.ledger.standing(opened.identity.session)?.is === "in" ? opened.reader : undefined;
  };

  /** Who asks. Nothing is set on the answer, which may be everybody's, or one that nobody reads. */
  look(req: IncomingMessage): Promise<Standing> {
    const known = this.#standings.get(req);
    if (known !== undefined) return known;
    const standing = this.#judge(req);
    this.#standings.set(req, standing);
    return standing;
  }

  /** Who asks, for counting. A session that is over is a stranger's. */
  readonly userOf = async (req: IncomingMessage): Promise<string | undefined> => {
    const standing = await this.look(req);
    return standing.is === "in" ? standing.user : undefined;
  };

  /** Who asks. Sets or takes back the cookie on the answer, which must not be one that is shared. */
  async who(req: IncomingMessage, res: ServerResponse): Promise<Standing> {
    const standing = await this.look(req);
    if (standing.is === "in") this.#renew(req, res, standing);
    else if (standing.is === "out" && standing.problem.status === 401) this.#take(req, res);
    return standing;
  }

  /**
   * Begins a session, under a new id; the one that the request came with ends, durably before anything is answered.
   * @param within counters that must have room: else it is `over`, and nothing has changed.
   */
  async begin(req: IncomingMessage, res: ServerResponse, account: Account, within: readonly Deed[] = []): Promise<Begun> {
    const { clock, ledger } = this.#parts;
    const before = this.#open(req);
    const now = clock.wall();
    const member = memberOf(account.user, account.role);
    const session: Session = { id: randomBytes(16).toString("base64url"), user: member.user, admin: member.admin, since: now };
    // One browser is not two, whoever uses it: neither where the newest is refused nor in a full house.
    const admission = await ledger.enter(session, before?.identity.session, within);
    if (admission.is !== "in") return admission;
    if (before !== undefined && !(await ledger.leave(before.identity.session))) {
      void ledger.leave(session); // its cookie is not sent
      return { is: "away", retryAfter: COME_AGAIN };
    }
    const identity: Identity = { ...member, session, seen: now };
    this.#give(req, res, identity);
    return { is: "in", identity };
  }

  /**
   * Ends the session that a request came with, if it came with one.
   * @returns whether that is durable. If not, the browser keeps the cookie, to repeat the logout with it; this worker admits it no longer.
   */
  async end(req: IncomingMessage, res: ServerResponse): Promise<boolean> {
    const opened = this.#open(req);
    const durable = opened === undefined || (await this.#parts.ledger.leave(opened.identity.session));
    if (durable) this.#take(req, res);
    return durable;
  }

  /** Told to each who holds it, once: logged out here, it comes back from the broker too. */
  #ended(id: string): void {
    const listeners = this.#watched.get(id);
    this.#watched.delete(id);
    for (const ended of listeners ?? []) ended();
  }

  /** Why a session was not admitted. */
  refusal(admission: Exclude<Entry, { is: "in" }>, { headers }: IncomingMessage): Problem {
    return admissionProblem(admission, headers, this.#parts.noun);
  }

  /** Until when a session may last, if it is used. */
  endOf({ session }: Identity): Timestamp {
    return (session.since + this.#parts.lifetime) as Timestamp;
  }

  /**
   * Keeps a session in use, for an answer without an end.
   * @param ended called when the session ends, or the answer must for its cookie to be made anew. @returns a function that ends it.
   */
  hold(identity: Identity, ended: () => void): () => void {
    const { ledger, clock, idle } = this.#parts;
    const { session } = identity;
    const free = ledger.holds(session);
    const listeners = this.#watched.get(session.id) ?? new Set();
    this.#watched.set(session.id, listeners.add(ended));
    const [least, most] = LONGEST_HELD;
    const left = Math.max(0, elapsed(clock.wall(), this.endOf(identity)));
    const timer = setTimeout(ended, Math.min(2 ** 31 - 1, left, idle * (least + Math.random() * (most - least)))).unref();
    return () => {
      clearTimeout(timer);
      free();
      listeners.delete(ended);
      if (listeners.size === 0 && this.#watched.get(session.id) === listeners) this.#watched.delete(session.id);
    };
  }

  /** Whether somebody who was let in still would be, by what is known here. */
  stands(identity: Identity): boolean {
    const directory = this.#parts.accounts.known();
    return directory === undefined || isAccount(identity, directory);
  }

  async #judge(req: IncomingMessage): Promise<Standing> {
    if (cookieOf(req, this.#parts.clients.isSecure(req)) === undefined) return STRANGER;
    const opened = this.#open(req);
    if (opened === undefined || this.#isExpired(opened.identity)) return { is: "out", problem: EXPIRED };
    const { identity } = opened;
    const admission: Admission = this.#isGood(opened) ? await this.#admission(identity.session) : { is: "revoked" };
    if (admission.is !== "in") return { is: "out", problem: this.refusal(admission, req) };
    this.#parts.ledger.active(identity.session);
    return identity;
  }

  async #admission(session: Session): Promise<Admission> {
    const { ledger } = this.#parts;
    return ledger.standing(session) ?? (await ledger.enter(session));
  }

  #open(req: IncomingMessage): Opened | undefined {
    const cookie = cookieOf(req, this.#parts.clients.isSecure(req));
    if (cookie === undefined) return undefined;
    const known = this.#opened.get(cookie);
    if (known !== undefined) return known;
    const identity = unseal(cookie, this.#parts.keys);
    return identity === undefined ? undefined : this.#keep(cookie, identity);
  }

  #keep(cookie: string, identity: Identity): Opened {
    const { ledger } = this.#parts;
    const reader: Reader = {
      audiences: audiencesOf(identity),
      answered: (req, res) => {
        ledger.active(identity.session);
        this.#renew(req, res, identity);
      },
    };
    const opened: Opened = { identity, reader, checked: undefined };
    this.#opened.set(cookie, opened);
    return opened;
  }

  #isExpired({ session, seen }: Identity): boolean {
    const { clock, idle, lifetime } = this.#parts;
    const now = clock.wall();
    return elapsed(session.since, now) >= lifetime || elapsed(seen, now) >= idle;
  }

  /** Old enough to be over, or of somebody who is no user any more: asked again whenever the users' table has changed. */
  #isGood(opened: Opened): boolean {
    if (this.#isExpired(opened.identity)) return false;
    const directory = this.#parts.accounts.known();
    if (directory === undefined) return true; // the broker is away, or starts: who was let in stays
    if (opened.checked?.directory !== directory) opened.checked = { directory, stands: isAccount(opened.identity, directory) };
    return opened.checked.stands;
  }

  #renew(req: IncomingMessage, res: ServerResponse, identity: Identity): void {
    const { clock, idle } = this.#parts;
    const seen = clock.wall();
    if (elapsed(identity.seen, seen) >= idle * STEP) this.#give(req, res, { ...identity, seen });
  }

  /** Once a day for the machine: its workers count together. */
  #warn(): void {
    if (this.#warned) return;
    this.#warned = true;
    const { ledger, log } = this.#parts;
    const tell = (): void => log.warn(PLAIN);
    ledger.spend([{ key: "told:plain-login", most: 1, per: DAY }]).then(({ is }) => is === "ok" && tell(), tell);
  }

  #give(req: IncomingMessage, res: ServerResponse, identity: Identity): void {
    const { keys, clients, idle } = this.#parts;
    const [key] = keys;
    if (key === undefined || res.headersSent) return;
    const secure = clients.isSecure(req);
    if (!secure) this.#warn();
    const cookie = seal(identity, key);
    this.#keep(cookie, identity);
    const left = Math.max(0, elapsed(identity.seen, this.endOf(identity)));
    res.setHeader("Set-Cookie", setCookie(cookie, secure, ms(Math.min(idle, left))));
  }

  #take(req: IncomingMessage, res: ServerResponse): void {
    if (!res.headersSent) res.setHeader("Set-Cookie", setCookie("", this.#parts.clients.isSecure(req), ms(0)));
  }
}

function isAccount({ user, role }: Identity, { byName }: Directory): boolean {
  const account = byName.get(foldName(user));
  return account?.user === user && account.role === role && account.verifier !== undefined;
}

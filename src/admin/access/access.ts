/**
 * Who may administer: tokens (settings, file), browsers that are logged in, one-time links. Sessions and links live in memory: they outlast
 * reloads, and end with the daemon. Whatever changes is told to `changed`, which pushes the digests to the workers.
 *
 *   link ─ used once, or 10 minutes ─→ gone        login ─→ session ─ 30 minutes idle, 12 hours, logout, its token gone ─→ ended
 */
import { randomBytes } from "node:crypto";
import { csrfOf, digestOf, findKey, type AdminKey, type AdminKeys, type AdminRole } from "../../base/adminkeys.ts";
import type { Clock } from "../../base/clock.ts";
import type { Logger } from "../../base/log.ts";
import { later, minutes, type Ms, type Timestamp } from "../../base/units.ts";
import { FIRST, TokenFile } from "./tokens.ts";

/** What the settings name: texts of tokens, or `sha256:` and a digest in hex. */
export interface Configured {
  readonly operator: string | undefined;
  readonly viewer: string | undefined;
}

export interface AccessParts {
  readonly dataDir: string;
  readonly clock: Clock;
  readonly log: Logger;
  readonly configured: Configured;
  changed(keys: AdminKeys): void;
}

interface Session extends AdminKey {
  /** Digest of the token that it was made with; undefined: of a link. */
  readonly of: string | undefined;
  usedAt: Timestamp;
}

export const TICKET_LASTS = minutes(10);
export const SESSION_LASTS = minutes(12 * 60);
export const SESSION_IDLE = minutes(30);
const MOST_SESSIONS = 64;
const MOST_TICKETS = 16;

export interface Login {
  readonly cookie: string;
  readonly csrf: string;
  readonly role: AdminRole;
  readonly name: string;
  readonly lasts: Ms;
}

export class Access {
  readonly #parts: AccessParts;
  readonly #file: TokenFile;
  #configured: readonly AdminKey[];
  #sessions: Session[] = [];
  #tickets: AdminKey[] = [];
  /** The first start has just made a token. */
  readonly isNew: boolean;

  constructor(parts: AccessParts) {
    this.#parts = parts;
    this.#file = new TokenFile(parts.dataDir, parts.log);
    this.#configured = keysOf(parts.configured);
    this.isNew = parts.configured.operator === undefined && this.#file.begin(parts.clock.wall());
  }

  keys(): AdminKeys {
    const plain = ({ digest, role, name, until }: AdminKey): AdminKey => ({ digest, role, name, until });
    return { tokens: this.#tokens().map(plain), sessions: this.#sessions.map(plain), tickets: this.#tickets.map(plain) };
  }

  /** After a reload: other tokens, and no sessions of those that are gone. */
  configure(configured: Configured): void {
    this.#configured = keysOf(configured);
    this.#settle();
  }

  /** A link that logs one browser in, once. */
  ticket(role: AdminRole): string {
    const ticket = randomBytes(32).toString("base64url");
    const until = later(this.#wall(), TICKET_LASTS);
    this.#tickets = [...this.#tickets, { digest: digestOf(ticket), role, name: "link", until }].slice(-MOST_TICKETS);
    this.#settle();
    return ticket;
  }

  /** A token for programs. @param lasts undefined: for ever. @returns undefined when there are too many. */
  token(role: AdminRole, name: string, lasts: Ms | undefined): string | undefined {
    const wall = this.#wall();
    const token = this.#file.add({ role, name, until: lasts === undefined ? (0 as Timestamp) : later(wall, lasts) }, wall);
    this.#settle();
    return token;
  }

  /** @returns how many tokens of that name are gone now. */
  revoke(name: string): number {
    const gone = this.#file.remove(name);
    this.#settle();
    return gone;
  }

  /** @returns undefined when it is neither a token nor a link that is still good. A link is used up by it. */
  login(given: { readonly token?: string; readonly ticket?: string }): Login | undefined {
    const wall = this.#wall();
    const ticket = given.ticket === undefined ? undefined : findKey(this.#tickets, given.ticket, wall);
    const token = given.token === undefined ? undefined : findKey(this.#tokens(), given.token, wall);
    const key = ticket ?? token;
    if (key === undefined) return undefined;
    this.#tickets = this.#tickets.filter((other) => other !== ticket);
    const cookie = randomBytes(32).toString("base64url");
    const { role, name } = key;
    const session = { digest: digestOf(cookie), role, name, until: later(wall, SESSION_LASTS), of: token?.digest, usedAt: wall };
    this.#sessions = [...this.#sessions, session].slice(-MOST_SESSIONS);
    this.#settle();
    return { cookie, csrf: csrfOf(cookie), role, name, lasts: SESSION_LASTS };
  }

  /** A session did something: it is not idle. */
  touch({ digest }: AdminKey): void {
    const session = this.#sessions.find((known) => known.digest === digest);
    if (session !== undefined) session.usedAt = this.#wall();
  }

  logout(cookie: string): void {
    const digest = digestOf(cookie);
    this.#sessions = this.#sessions.filter((session) => session.digest !== digest);
    this.#settle();
  }

  /** Ends what has run out; call it every few seconds. */
  sweep(): void {
    const before = this.#sessions.length + this.#tickets.length;
    this.#expire();
    if (this.#sessions.length + this.#tickets.length !== before) this.#parts.changed(this.keys());
  }

  #tokens(): readonly AdminKey[] {
    const own = this.#configured.some(({ role }) => role === "operator");
    return [...this.#configured, ...this.#file.all(this.#wall()).filter(({ name }) => !own || name !== FIRST)];
  }

  #expire(): void {
    const wall = this.#wall();
    const tokens = new Set(this.#tokens().map(({ digest }) => digest));
    this.#tickets = this.#tickets.filter(({ until }) => until > wall);
    this.#sessions = this.#sessions.filter(
      ({ until, usedAt, of }) => until > wall && later(usedAt, SESSION_IDLE) > wall && (of === undefined || tokens.has(of)),
    );
  }

  #settle(): void {
    this.#expire();
    this.#parts.changed(this.keys());
  }

  #wall(): Timestamp {
    return this.#parts.clock.wall();
  }
}

/** A digest that the settings give in hex is as good as the token: then the token itself is at rest nowhere. */
function keysOf({ operator, viewer }: Configured): readonly AdminKey[] {
  const key = (text: string | undefined, role: AdminRole): AdminKey[] => {
    if (text === undefined) return [];
    const hex = /^sha256:([0-9a-f]{64})$/i.exec(text)?.[1];
    const digest = hex === undefined ? digestOf(text) : Buffer.from(hex, "hex").toString("base64url");
    return [{ digest, role, name: "settings", until: 0 as Timestamp }];
  };
  return [...key(operator, "operator"), ...key(viewer, "viewer")];
}

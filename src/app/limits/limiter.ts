/**
 * How often a client may do what: writes and exports are counted once for the machine, before they are done; reads that need work
 * are counted here and told to the others. Answers that stand ready in memory come by none of this.
 */
import type { IncomingMessage } from "node:http";
import type { FastifyReply } from "fastify";
import type { Logger } from "../../base/log.ts";
import { minutes, seconds, type Ms } from "../../base/units.ts";
import { roomOf } from "../../base/window.ts";
import type { Rate } from "../../settings/rows/limits.ts";
import { TOKENS_KEY, type Deed, type Ledger, type Spent, type Tallies } from "../../sheets/ledger.ts";
import type { Clients } from "../../worker/app.ts";
import { problem, retryAfter, type Problem } from "../problem.ts";
import { addressKey } from "../../base/addresskey.ts";
import { rateLimitHeaders, type NamedDeed } from "./headers.ts";
import type { LimitRules } from "./rules.ts";
import { Places } from "./places.ts";

/** Who is counted: a user, or a stranger's address. Neither: a proxy that does not say for whom it asks. */
export interface Who {
  readonly user: string | undefined;
  readonly address: string | undefined;
}

export interface LimiterParts {
  readonly ledger: Ledger & Tallies;
  readonly clients: Pick<Clients, "countable">;
  /** Who is signed in. */
  readonly userOf: (req: IncomingMessage) => Promise<string | undefined>;
  readonly rules: LimitRules;
  readonly log: Logger;
}

/** What came of asking: headers for the answer, or the answer. */
export type Passage =
  | { readonly is: "pass"; readonly headers: Readonly<Record<string, string>> }
  | { readonly is: "refused"; readonly problem: Problem };

/** Of a request to write. */
export interface WriteSize {
  readonly rows: number;
  /** Of its body. */
  readonly bytes: number;
}

/** What one write of a rate may carry: a larger request counts as several. */
const WRITE: WriteSize = { rows: 10, bytes: 16_384 };
const writesOf = ({ rows, bytes }: WriteSize): number => Math.max(1, Math.ceil(rows / WRITE.rows), Math.ceil(bytes / WRITE.bytes));

/** How often a request of this size counts: never as more than the limit. */
const timesOf = (size: WriteSize, deed: Deed): number => Math.min(writesOf(size), roomOf(deed));

/** Of the places that a worker has for exports: a slow client holds each for minutes. */
export const EXPORTS_OF_A_CLIENT = 3;

const FREE: Passage = { is: "pass", headers: {} };
const MINUTE: Ms = minutes(1);
/** Requests over a limit whose first answer is looked for, as a multiple of the write rate. */
const REPLAYS = 2;
/** The write rate that is taken when there is none: the day or the whole service was over its limit. */
const UNLIMITED: Rate = { most: 100, per: MINUTE };
/** Strangers who can't be told apart share one counter. */
const STRANGERS = { key: "replay:address:unknown" };
/** Of all clients together. */
const SIGNALS = "write:all:signals";

export class Limiter {
  /** Event streams that are open. */
  readonly streams: Places;
  /** Exports under way. */
  readonly exports = new Places(() => EXPORTS_OF_A_CLIENT);
  readonly #parts: LimiterParts;
  #warned = false;

  constructor(parts: LimiterParts) {
    this.#parts = parts;
    const { streamsPerAddress, streamsPerUser } = parts.rules;
    this.streams = new Places(({ user }) => (user === undefined ? streamsPerAddress : streamsPerUser));
  }

  /** The user, wherever they are; else the address. */
  async who(req: IncomingMessage): Promise<Who> {
    const user = await this.#parts.userOf(req);
    return user === undefined ? { user, address: this.address(req) } : { user, address: undefined };
  }

  /** What a client without a name is counted as. */
  address(req: IncomingMessage): string | undefined {
    const address = this.#parts.clients.countable(req);
    if (address === undefined) this.#warn();
    return address === undefined ? undefined : addressKey(address);
  }

  /** Before a request to write is read. @param announced bytes of its body that its head announces. */
  async write(who: Who, announced = 0): Promise<Passage> {
    const { write, signals } = this.#parts.rules;
    const rates = this.#own("write", who, write).map((deed) => ({ ...deed, times: timesOf({ rows: 1, bytes: announced }, deed) }));
    const own = [...rates, ...this.#day(who)];
    const all: readonly NamedDeed[] = signals === 0 ? [] : [{ name: "service", key: SIGNALS, most: signals, per: MINUTE }];
    return this.#spend(own, all);
  }

  /** A request to write that was counted has written nothing: takes its rows back from its user's day. */
  unwritten(who: Who, rows: number): void {
    const day = this.#day(who);
    if (day.length > 0) this.#parts.ledger.refund(bare(day.map((deed) => ({ ...deed, times: rows }))));
  }

  /** Once the size of a request is known: counts what it has beyond what `write` has counted. */
  async size(who: Who, { rows, bytes }: WriteSize, announced = 0): Promise<Passage> {
    const { write, tokens } = this.#parts.rules;
    const day = this.#day(who);
    const rates = this.#own("write", who, write);
    const beyond = [
      ...rates.map((deed) => ({ ...deed, times: timesOf({ rows, bytes }, deed) - timesOf({ rows: 1, bytes: announced }, deed) })),
      ...day.map((deed) => ({ ...deed, times: rows - 1 })),
      ...(tokens === 0 ? [] : [{ name: "service", key: TOKENS_KEY, most: tokens, per: MINUTE, times: rows }]),
    ].filter(({ times }) => times > 0);
    return beyond.length === 0 ? FREE : passage([...rates, ...day], await this.#parts.ledger.spend(bare(beyond)));
  }

  /** Before an export. */
  async export(who: Who): Promise<Passage> {
    const { export: rate } = this.#parts.rules;
    return rate === null ? FREE : this.#spend(this.#own("export", who, rate), []);
  }

  /** Before a read that needs work. Counted here. */
  async read(req: IncomingMessage): Promise<Passage> {
    const { read } = this.#parts.rules;
    if (read === null) return FREE;
    const [deed] = this.#own("read", await this.who(req), read);
    if (deed === undefined) return FREE;
    return passage([deed], this.#parts.ledger.count({ key: deed.key, ...read }));
  }

  /**
   * Before the broker looks for the first answer of a request that is over a limit. Counted here: as a read, and by a limit of its own.
   * @returns whether it may look.
   */
  async replay(req: IncomingMessage): Promise<boolean> {
    const { most, per, burst } = this.#parts.rules.write ?? UNLIMITED;
    const rate = { most: most * REPLAYS, per, ...(burst === undefined ? {} : { burst: burst * REPLAYS }) };
    const [{ key } = STRANGERS] = this.#own("replay", await this.who(req), rate);
    return this.#parts.ledger.count({ key, ...rate }).is === "ok" && (await this.read(req)).is === "pass";
  }

  async #spend(own: readonly NamedDeed[], all: readonly NamedDeed[]): Promise<Passage> {
    if (own.length + all.length === 0) return FREE;
    return passage(own, await this.#parts.ledger.spend(bare([...own, ...all])));
  }

  #own(name: "write" | "read" | "export" | "replay", { user, address }: Who, rate: Rate | null): NamedDeed[] {
    if (rate === null) return [];
    if (user !== undefined) return [{ name, key: `${name}:user:${user}`, ...rate }];
    return address === undefined ? [] : [{ name, key: `${name}:address:${address}`, ...rate }];
  }

  #day({ user }: Who): NamedDeed[] {
    const { daily } = this.#parts.rules;
    return user === undefined || daily === 0 ? [] : [{ name: "day", key: `day:user:${user}`, most: daily, per: "day" }];
  }

  #warn(): void {
    if (this.#warned) return;
    this.#warned = true;
    this.#parts.log.warn(
      "a proxy does not say for whom it asks, so strangers can't be told apart and are not limited one by one: let it send X-Forwarded-For (nginx: proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for)",
    );
  }
}

/** Without what only clients read. */
const bare = (deeds: readonly NamedDeed[]): Deed[] => deeds.map(({ name: _name, ...deed }) => deed);

/** @param own what the client itself is limited by; what is over and none of these is all clients' together. */
function passage(own: readonly NamedDeed[], spent: Spent): Passage {
  const headers = rateLimitHeaders(own, spent);
  if (spent.is === "ok") return { is: "pass", headers };
  const over = own.find(({ key }) => key === spent.key);
  return { is: "refused", problem: over === undefined ? serviceOver(spent.retryAfter) : clientOver(over, spent.retryAfter, headers) };
}

const WORDS = { write: "writes", read: "reads", export: "exports" } as const;

function clientOver({ name, most, per, burst }: NamedDeed, wait: Ms, headers: Readonly<Record<string, string>>): Problem {
  if (per === "day")
    return problem(429, "daily-quota", `the ${most} writes of today are used up: the next day begins after the time in Retry-After`, {
      headers: { ...headers, ...retryAfter(wait), "X-Drover-Refused": "quota" },
    });
  const what = WORDS[name as keyof typeof WORDS];
  const each =
    name === "write" ? ` (one carries up to ${WRITE.rows} rows and ${WRITE.bytes} bytes, a larger request counts as several)` : "";
  const beyond = burst === undefined ? "" : `, beyond a burst of ${burst}`;
  const detail = `more than ${most} ${what}${each} in ${per / 1_000} s${beyond}: come again after the time in Retry-After`;
  return problem(429, "rate-limited", detail, { headers: { ...headers, ...retryAfter(wait), "X-Drover-Refused": "rate" } });
}

/** Why an export finds no place. */
export const EXPORTS_TAKEN: Problem = problem(
  429,
  "rate-limited",
  `${EXPORTS_OF_A_CLIENT} exports of this client are under way: come again when one of them is over`,
  { headers: { ...retryAfter(seconds(5)), "X-Drover-Refused": "exports" } },
);

const serviceOver = (wait: Ms): Problem =>
  problem(503, "service-limit", "the service takes no more writes this minute, of all its clients together: nothing was written", {
    headers: { ...retryAfter(wait), "X-Drover-Refused": "service" },
  });

/** Sets a passage's headers on an answer. @returns the problem when it is none. */
export function applied(passed: Passage, reply: FastifyReply): Problem | undefined {
  if (passed.is === "refused") return passed.problem;
  reply.headers(passed.headers);
  return undefined;
}

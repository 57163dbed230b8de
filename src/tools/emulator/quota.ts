/**
 * Google's quota as recorded: a pool of reads and one of writes, each per user and per project, counted in fixed minutes
 * with some overshoot; once a pool refuses, it goes on refusing for about a minute, whatever is asked meanwhile.
 */
import type { Clock } from "../../base/clock.ts";
import {
  after,
  ms,
  perMinute,
  seconds,
  type Instant,
  type Ms,
  type PerMinute,
  type Timestamp,
} from "../../base/units.ts";
import { errorInfo, googleError, type Answer } from "./answers.ts";

export type Pool = "read" | "write";

export interface QuotaPolicy {
  readonly perUser: PerMinute;
  readonly perProject: PerMinute;
  /** How far beyond its limit a minute may run before it is refused: 0.1 lets 66 pass for 60. Recorded: 0.1 to 0.8. */
  readonly overshoot: number;
  /** How long a pool stays shut once it has refused. */
  readonly lockout: Ms;
}

/** @see developers.google.com/workspace/sheets/api/limits */
export const GOOGLE_QUOTA: QuotaPolicy = {
  perUser: perMinute(60),
  perProject: perMinute(300),
  overshoot: 0.1,
  lockout: seconds(60),
};

/** No limit of its own; it can still be shut. */
export const NO_QUOTA: QuotaPolicy = {
  ...GOOGLE_QUOTA,
  perUser: perMinute(Infinity),
  perProject: perMinute(Infinity),
};

const MINUTE = seconds(60);

type Scope = "user" | "project";

/** One pool of one user or of the project. `lockedUntil` is set by the first refusal, and `lockedSince` with it. */
interface Window {
  readonly minute: number;
  readonly used: number;
  readonly lockedSince: Instant;
  readonly lockedUntil: Instant | undefined;
}

/** A refusal: which limit, and since when its pool is shut. */
export interface Refusal {
  readonly pool: Pool;
  readonly scope: Scope;
  readonly limit: PerMinute;
  readonly windowStart: Timestamp;
}

const EMPTY: Window = { minute: -1, used: 0, lockedSince: 0 as Instant, lockedUntil: undefined };

/** What a window is at an instant: a new minute starts empty, and a lock-out that has passed is gone. */
function current(window: Window, at: Instant): Window {
  const minute = Math.floor(at / MINUTE);
  const locked = window.lockedUntil !== undefined && at < window.lockedUntil;
  if (locked) return window;
  return window.minute === minute && window.lockedUntil === undefined
    ? window
    : { ...EMPTY, minute };
}

export class Quota {
  readonly #windows = new Map<string, Window>();
  readonly #policy: QuotaPolicy;
  readonly #clock: Clock;

  constructor(policy: QuotaPolicy, clock: Clock) {
    this.#policy = policy;
    this.#clock = clock;
  }

  /** Counts one call, or refuses it. A refused call counts for nothing. @param user an account or API key known to the emulator: their number bounds the memory. */
  take(pool: Pool, user: string): Refusal | undefined {
    const at = this.#clock.now();
    const mine = this.#limit("user", pool, user);
    const all = this.#limit("project", pool, "");
    for (const { key, scope, limit } of [mine, all]) {
      const window = current(this.#windows.get(key) ?? EMPTY, at);
      if (
        window.lockedUntil === undefined &&
        window.used < Math.floor(limit * (1 + this.#policy.overshoot))
      )
        continue;
      const lockedSince = window.lockedUntil === undefined ? at : window.lockedSince;
      const lockedUntil = window.lockedUntil ?? after(at, this.#policy.lockout);
      this.#windows.set(key, { ...window, lockedSince, lockedUntil });
      const shown = Number.isFinite(limit) ? limit : GOOGLE_QUOTA.perUser;
      return {
        pool,
        scope,
        limit: shown,
        windowStart: (this.#clock.wall() - ms(at - lockedSince)) as Timestamp,
      };
    }
    for (const { key } of [mine, all]) {
      const window = current(this.#windows.get(key) ?? EMPTY, at);
      this.#windows.set(key, { ...window, used: window.used + 1 });
    }
    return undefined;
  }

  /** Shuts a user's pool as if its quota were used up. */
  shut(pool: Pool, user: string, lockout: Ms): void {
    const at = this.#clock.now();
    const { key } = this.#limit("user", pool, user);
    this.#windows.set(key, {
      ...current(this.#windows.get(key) ?? EMPTY, at),
      lockedSince: at,
      lockedUntil: after(at, lockout),
    });
  }

  #limit(scope: Scope, pool: Pool, user: string): { key: string; scope: Scope; limit: PerMinute } {
    const limit = scope === "user" ? this.#policy.perUser : this.#policy.perProject;
    return { key: `${scope} ${pool} ${user}`, scope, limit };
  }
}

/** Google's 429, as recorded: no Retry-After; the body alone says which pool, and since when. */
export function quotaExceeded(refusal: Refusal, projectNumber: string): Answer {
  const { pool, scope, limit, windowStart } = refusal;
  const name = pool === "read" ? "Read" : "Write";
  const message =
    `Quota exceeded for quota metric '${name} requests' and limit '${name} requests per minute${scope === "user" ? " per user" : ""}' ` +
    `of service 'sheets.googleapis.com' for consumer 'project_number:${projectNumber}'.`;
  const info = errorInfo("RATE_LIMIT_EXCEEDED", {
    quota_limit_value: String(limit),
    service: "sheets.googleapis.com",
    consumer: `projects/${projectNumber}`,
    quota_unit: scope === "user" ? "1/min/{project}/{user}" : "1/min/{project}",
    quota_location: "global",
    quota_metric: `sheets.googleapis.com/${pool}_requests`,
    quota_limit: `${name}RequestsPerMinutePer${scope === "user" ? "User" : "Project"}`,
    window_start_time: String(Math.floor(windowStart / 1_000)),
  });
  const links = [
    {
      description: "Request a higher quota limit.",
      url: "https://cloud.google.com/docs/quota#requesting_higher_quota",
    },
  ];
  return googleError(429, message, [
    info,
    { "@type": "type.googleapis.com/google.rpc.Help", links },
  ]);
}

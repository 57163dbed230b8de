/**
 * Google's quota as recorded: one pool of reads and one of writes, counted in fixed minutes with some overshoot. A pool that
 * has refused a call refuses all calls for about a minute.
 */
import type { Clock } from "../../base/clock.ts";
import { after, between, perMinute, seconds } from "../../base/units.ts";
import type { Instant, Ms, PerMinute, Timestamp } from "../../base/units.ts";
import { errorInfo, GoogleError } from "./google-errors.ts";
import { PROJECT_NUMBER } from "./service-account.ts";

export type Pool = "read" | "write";

export interface QuotaPolicy {
  /** There is one user: the service account. */
  readonly perUser: PerMinute;
  /** How far a minute may exceed its limit: with 0.1, 66 calls pass for 60. Recorded: 0.1 to 0.8. */
  readonly overshoot: number;
  /** How long a pool stays locked after a refusal. */
  readonly lockout: Ms;
}

/** @see developers.google.com/workspace/sheets/api/limits */
export const GOOGLE_QUOTA: QuotaPolicy = {
  perUser: perMinute(60),
  overshoot: 0.1,
  lockout: seconds(60),
};

/** Without a limit; a fault can still lock it. */
export const NO_QUOTA: QuotaPolicy = { ...GOOGLE_QUOTA, perUser: perMinute(Infinity) };

const MINUTE = seconds(60);

/** A pool's current minute. */
interface Window {
  readonly minute: number;
  readonly used: number;
  readonly locked?: { readonly since: Instant; readonly until: Instant };
}

export interface Exceeded {
  readonly pool: Pool;
  readonly limit: PerMinute;
  /** When the pool was locked. */
  readonly windowStart: Timestamp;
}

export class Quota {
  readonly #windows = new Map<Pool, Window>();
  readonly #policy: QuotaPolicy;
  readonly #clock: Clock;

  constructor(policy: QuotaPolicy, clock: Clock) {
    this.#policy = policy;
    this.#clock = clock;
  }

  /** Counts a call. @returns the refusal if it exceeds the quota; a refused call is not counted. */
  take(pool: Pool): Exceeded | undefined {
    const { perUser, overshoot, lockout } = this.#policy;
    const window = this.#window(pool);
    if (window.locked === undefined && window.used < Math.floor(perUser * (1 + overshoot))) {
      this.#windows.set(pool, { ...window, used: window.used + 1 });
      return undefined;
    }
    const now = this.#clock.now();
    const since = window.locked?.since ?? this.lock(pool, lockout);
    const age = between(since, now);
    const limit = Number.isFinite(perUser) ? perUser : GOOGLE_QUOTA.perUser;
    return { pool, limit, windowStart: (this.#clock.wall() - age) as Timestamp };
  }

  /** Locks a pool as if its quota were used up. @returns since when. */
  lock(pool: Pool, lockout: Ms): Instant {
    const since = this.#clock.now();
    this.#windows.set(pool, {
      ...this.#window(pool),
      locked: { since, until: after(since, lockout) },
    });
    return since;
  }

  /** A new minute, and the end of a lock, start with an empty window. */
  #window(pool: Pool): Window {
    const at = this.#clock.now();
    const minute = Math.floor(at / MINUTE);
    const window = this.#windows.get(pool);
    const isLocked = window?.locked !== undefined && at < window.locked.until;
    const isCurrent = window?.locked === undefined && window?.minute === minute;
    return window !== undefined && (isLocked || isCurrent) ? window : { minute, used: 0 };
  }
}

/** Google's 429 as recorded: no Retry-After; the body alone tells the pool, and since when it is locked. */
export function quotaExceeded({ pool, limit, windowStart }: Exceeded): GoogleError {
  const name = pool === "read" ? "Read" : "Write";
  const message =
    `Quota exceeded for quota metric '${name} requests' and limit '${name} requests per minute per user' ` +
    `of service 'sheets.googleapis.com' for consumer 'project_number:${PROJECT_NUMBER}'.`;
  const info = errorInfo("RATE_LIMIT_EXCEEDED", {
    quota_limit_value: String(limit),
    service: "sheets.googleapis.com",
    consumer: `projects/${PROJECT_NUMBER}`,
    quota_unit: "1/min/{project}/{user}",
    quota_location: "global",
    quota_metric: `sheets.googleapis.com/${pool}_requests`,
    quota_limit: `${name}RequestsPerMinutePerUser`,
    window_start_time: String(Math.floor(windowStart / 1_000)),
  });
  const link = {
    description: "Request a higher quota limit.",
    url: "https://cloud.google.com/docs/quota#requesting_higher_quota",
  };
  const help = { "@type": "type.googleapis.com/google.rpc.Help", links: [link] };
  return new GoogleError(429, message, [info, help]);
}

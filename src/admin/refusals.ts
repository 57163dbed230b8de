/** Every deliberate refusal of drover's own, by the reason in X-Drover-Refused: what it means, and what an operator does about it. */

export interface RefusalRow {
  /** The statuses that it has. */
  readonly status: string;
  readonly means: string;
  /** What the operator does; a command where there is one. */
  readonly todo: string;
}

export const REFUSALS = {
  full: {
    status: "503",
    means: "all slots are taken",
    todo: "drover slots lists the sessions; drover slots reap frees expired ones; raise DROVER_MAX_SLOTS if drover status says that the machine has room",
  },
  cpu: {
    status: "503",
    means: "the CPU is short, and DROVER_SLOT_GUARD=on admits no new session meanwhile",
    todo: "drover status says what uses it; a machine with more cores, or fewer slots (DROVER_MAX_SLOTS)",
  },
  memory: {
    status: "503",
    means: "memory is short, and DROVER_SLOT_GUARD=on admits no new session meanwhile",
    todo: "drover status says what uses it; a machine with more memory, or fewer workers (drover scale N)",
  },
  latency: {
    status: "503",
    means: "answers are slower than DROVER_ALERT_LATENCY, and DROVER_SLOT_GUARD=on admits no new session meanwhile",
    todo: "follow the advice of drover status; see the alert latency in docs/operations.md; a higher DROVER_ALERT_LATENCY, or fewer slots (DROVER_MAX_SLOTS)",
  },
  sessions: {
    status: "429",
    means: "the user has as many sessions as one user may have, and DROVER_SLOT_CONFLICT=refuse",
    todo: "the user logs out elsewhere; drover slots end USER; or raise DROVER_MAX_SLOTS_PER_USER",
  },
  "taken-over": {
    status: "401",
    means: "the same user logged in somewhere else since",
    todo: "nothing; DROVER_MAX_SLOTS_PER_USER allows more sessions",
  },
  revoked: { status: "401", means: "the session was ended by a logout or by the operator", todo: "nothing: the user logs in again" },
  logins: {
    status: "429, 503",
    means: "too many failed logins with this name or from this address, or too many logins wait",
    todo: "check the names and addresses in drover logs; wait a minute; behind a proxy check DROVER_TRUSTED_PROXIES",
  },
  rate: {
    status: "429",
    means: "a client sent more than the rate limits allow",
    todo: "raise DROVER_RATE_LIMIT or its siblings if these clients are honest; behind a proxy check DROVER_TRUSTED_PROXIES",
  },
  quota: {
    status: "429",
    means: "a user's writes of today are used up",
    todo: "raise DROVER_DAILY_QUOTA; after a wrong clock: drover slots reset-day",
  },
  service: {
    status: "503",
    means: "all clients together wrote more than the service may",
    todo: "raise DROVER_SIGNALS_PER_MINUTE or DROVER_TOKENS_PER_MINUTE, if Google's quota allows it",
  },
  broker: {
    status: "503",
    means: "the broker was unavailable, or its disk refused a write",
    todo: "drover status shows the broker; drover logs says why it ended; check the disk of the data directory",
  },
  overload: {
    status: "503",
    means: "the workers had more to do than they could in time: exports are refused first, then writes, then reads",
    todo: "follow the advice of drover status; a bigger machine, or a longer DROVER_CACHE_TTL",
  },
  queue: {
    status: "503",
    means: "too many requests waited for a place in a worker",
    todo: "more workers if cores are idle (drover scale N), else a bigger machine",
  },
  threads: {
    status: "503",
    means: "too many queries waited for the threads that filter and sort large tables",
    todo: "smaller pages or tables; more cores",
  },
  exports: {
    status: "429, 503",
    means: "a client has three exports under way in a worker, or the worker made as many as it can at a time",
    todo: "the client tries again; export less often; behind a proxy check DROVER_TRUSTED_PROXIES",
  },
  streams: {
    status: "429, 503",
    means: "an address, a user or a worker has as many event streams as it may have",
    todo: "raise DROVER_STREAMS_PER_ADDRESS where everyone shares one address, or DROVER_WORKER_CONNECTIONS",
  },
  bodies: {
    status: "429, 503",
    means: "an address or a worker received as many unfinished request bodies as it may",
    todo: "look for slow or hostile clients in drover logs; behind a proxy check DROVER_TRUSTED_PROXIES",
  },
  "slow-body": { status: "408", means: "a request body arrived too slowly", todo: "look for slow or hostile clients in drover logs" },
  "head-too-late": {
    status: "408",
    means: "a request head arrived too slowly",
    todo: "look for slow or hostile clients in drover logs",
  },
  master: {
    status: "503",
    means: "the master did not answer a request to the administration",
    todo: "drover status; ask less often",
  },
} as const satisfies Record<string, RefusalRow>;

const NONE: Readonly<Record<string, number>> = Object.fromEntries(
  Object.keys(REFUSALS)
    .toSorted()
    .map((reason) => [reason, 0]),
);

/** `shed.full: 3` as `full: 3`, for one family of counts. */
export const countsOf = (counts: Readonly<Record<string, number>>, name: "shed" | "calls"): Record<string, number> =>
  Object.fromEntries(
    Object.entries(counts)
      .filter(([key]) => key.startsWith(`${name}.`))
      .map(([key, n]) => [key.slice(name.length + 1), n] as const),
  );

/**
 * How often each reason was given. Reasons of drover's own begin at 0: a counter that appears with its first refusal hides that one
 * from Prometheus' rate(). An application's own reasons come after them.
 */
export const refusalsOf = (counts: Readonly<Record<string, number>>): Record<string, number> => ({ ...NONE, ...countsOf(counts, "shed") });

/** What a reason means; an application's own is its own to explain. */
export function explain(reason: string): RefusalRow {
  const known = Object.hasOwn(REFUSALS, reason) ? REFUSALS[reason as keyof typeof REFUSALS] : undefined;
  return known ?? { status: "–", means: "a reason of the application's own", todo: "see the application's documentation" };
}

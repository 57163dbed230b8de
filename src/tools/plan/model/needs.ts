/** Each resource: what is needed, what there is, and at how many users it is full. */
import { erlangsFor } from "./erlang.ts";
import { BLOCKED, CPU_SHARE, MEMORY_SHARE, QUOTA_SHARE, type PlanInput } from "./types.ts";
import { loadOf, loopsOf, type Load } from "./load.ts";

export type Resource =
  | "workers"
  | "cpu"
  | "throughput"
  | "memory"
  | "slots"
  | "connections"
  | "reads"
  | "writes"
  | "network";

export interface Need {
  readonly resource: Resource;
  readonly needs: number;
  /** What may be used, the margin taken off. */
  readonly has: number;
  /** What there is without a margin: beyond it the service can't work at all. */
  readonly whole: number;
  readonly used: number;
  /** The most users it carries; undefined: no number of users fills it. */
  readonly fullAt: number | undefined;
}

interface Row {
  readonly resource: Resource;
  readonly needs: (load: Load) => number;
  readonly whole: number;
  readonly share: number;
  /** What may be used, where that is no share of the whole. */
  readonly has?: number;
}

type Candidate = Row & { readonly when: boolean };

function rowsOf(input: PlanInput): Row[] {
  const { demand, place, upstream, costs, system } = input;
  const { slots, peak } = place;
  const all: readonly Candidate[] = [
    {
      resource: "workers",
      when: system.blocks,
      needs: (l) => l.taken,
      whole: place.workers,
      share: 1,
    },
    { resource: "cpu", when: true, needs: (l) => l.cpu, whole: loopsOf(input), share: CPU_SHARE },
    {
      resource: "throughput",
      when: peak !== undefined,
      needs: (l) => l.rate,
      whole: peak?.rate ?? Infinity,
      share: CPU_SHARE,
    },
    {
      resource: "memory",
      when: true,
      needs: (l) => l.memory,
      whole: place.memory,
      share: MEMORY_SHARE,
    },
    {
      resource: "slots",
      when: slots !== undefined && demand.signedIn > 0,
      needs: (l) => l.signedIn,
      whole: slots?.max ?? Infinity,
      share: 1,
      has: slots === undefined ? Infinity : erlangsFor(slots.max, BLOCKED),
    },
    {
      resource: "connections",
      when: !system.blocks,
      needs: (l) => l.connections,
      whole: place.workers * place.connections,
      share: 1,
    },
    {
      resource: "reads",
      when: true,
      needs: (l) => l.readCalls,
      whole: upstream.reads,
      share: QUOTA_SHARE,
    },
    {
      resource: "writes",
      when: demand.writes > 0,
      needs: (l) => l.writeCalls,
      whole: upstream.writes,
      share: QUOTA_SHARE,
    },
    {
      resource: "network",
      when: true,
      needs: (l) => l.traffic,
      whole: costs.network,
      share: CPU_SHARE,
    },
  ];
  return all.filter(({ when }) => when);
}

/** A resource that is not full at this many users is never full. */
const MOST_USERS = 1e12;

/** The most users at which `enough` still holds, which it does for few and not for many; undefined when it always does. */
export function mostUsers(enough: (users: number) => boolean): number | undefined {
  if (!enough(1)) return 0;
  let high = 2;
  while (enough(high)) {
    high *= 2;
    if (high > MOST_USERS) return undefined;
  }
  let low = high / 2;
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (enough(middle)) low = middle;
    else high = middle;
  }
  return low;
}

/** All resources, in the order they are shown. */
export function needsOf(input: PlanInput): Need[] {
  const load = loadOf(input.demand.users, input);
  return rowsOf(input).map(({ resource, needs, whole, share, has: most }) => {
    const isQuota = resource === "reads" || resource === "writes";
    const has = most ?? (isQuota ? Math.max(1, Math.floor(whole * share)) : whole * share);
    return {
      resource,
      needs: needs(load),
      has,
      whole,
      used: needs(load) / has,
      fullAt: mostUsers((users) => needs(loadOf(users, input)) <= has),
    };
  });
}

/** A queue at this part of full load can't be told from one that grows without end. */
const FULL = 0.99;
const QUEUES: ReadonlySet<Resource> = new Set(["cpu", "workers", "network"]);

/** Memory and quotas may be used to the last; a queue at full load grows as long as the load lasts. */
export const stands = ({ resource, needs, whole }: Need): boolean =>
  !QUEUES.has(resource) || needs < whole * FULL;

/** With this it can't work: more is needed than there is without any margin. */
export const beyond = (need: Need): boolean => !stands(need) || need.needs > need.whole;

/** What binds: the first to fill as users come, of those that make it impossible if there are any. */
export function bindingOf(needs: readonly Need[]): Need {
  const impossible = needs.filter(beyond);
  const first = (a: Need, b: Need): Need =>
    (b.fullAt ?? Infinity) < (a.fullAt ?? Infinity) ? b : a;
  return (impossible.length > 0 ? impossible : needs).reduce(first);
}

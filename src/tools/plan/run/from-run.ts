/** A load run in place of unset figures. */
import type { PlanInput } from "../model/types.ts";
import { usable, type LoadRun } from "./run.ts";
import { fitOf, peakOrigin, refusal } from "../model/usl.ts";
import { placed } from "./verify.ts";
import type { SettingName } from "../../../settings/table.ts";
import type { PlanFlags } from "../flags.ts";
import type { Asked } from "../input.ts";

/**
 * The busiest step's demand: what the run was made for. How many users sent the requests of an open step is not known: only their
 * sum, which is shared among those who are planned for.
 */
export function demandOf(
  input: PlanInput,
  run: LoadRun,
  { users }: Pick<PlanFlags, "users">,
): PlanInput {
  const steps = usable(run);
  if (steps.length === 0) return input;
  const step = steps.reduce((most, next) =>
    next.achievedPerSecond > most.achievedPerSecond ? next : most,
  );
  const { demand } = input;
  const sharers = users ?? demand.users;
  const isClosed = step.model === "closed";
  const people = isClosed ? step.users : sharers;
  const rate = step.achievedPerSecond / people;
  const writes =
    step.writes === undefined ? demand.writes : step.writes / Math.max(1, step.requests);
  return {
    ...input,
    demand: { ...demand, users: people, rate, writes, signedIn: run.signedIn === true ? 1 : 0 },
  };
}

/** The run's throughput has a peak that can be relied on, and the place is the same. */
export function peaked(input: PlanInput, run: LoadRun, { flags, resolved }: Asked): PlanInput {
  const { server } = run;
  const { cpus, workers } = input.place;
  const another =
    flags.cpus !== undefined || flags.ram !== undefined || resolved.sources.workers.from === "flag";
  const found = fitOf(run);
  const same = server === undefined ? !another : server.cpus === cpus && server.workers === workers;
  if (found === undefined || refusal(found) !== undefined || !same) return input;
  // What was seen can be done, whatever a curve says that may miss it by a tenth.
  const most = Math.max(...usable(run).map(({ achievedPerSecond }) => achievedPerSecond));
  const peak = {
    rate: Math.max(most, found.peakRate),
    tested: most >= found.peakRate || peakOrigin(found) === "measured",
  };
  return { ...input, place: { ...input.place, peak } };
}

/**
 * What is not set is planned as it was measured, where it was measured on such a machine: workers, connections, TTL. The default of
 * another shell, or of none, is no plan.
 */
export function asMeasured(input: PlanInput, run: LoadRun, { flags, resolved }: Asked): PlanInput {
  const { cpus, workers, connections } = input.place;
  if (
    flags.from === undefined ||
    flags.cpus !== undefined ||
    flags.ram !== undefined ||
    run.server?.cpus !== cpus
  )
    return input;
  const then = placed(input, run);
  const unset = (name: SettingName): boolean => resolved.sources[name].from === "default";
  return {
    ...input,
    place: {
      ...input.place,
      workers: unset("workers") ? then.place.workers : workers,
      connections: unset("worker_connections") ? then.place.connections : connections,
    },
    upstream: {
      ...input.upstream,
      ...(unset("cache_ttl") && unset("tables")
        ? { ttl: then.upstream.ttl, tables: then.upstream.tables }
        : {}),
      ...(unset("reads_per_minute") ? { reads: then.upstream.reads } : {}),
    },
  };
}

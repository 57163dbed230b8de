/** The daemon that serves the target, watched over its control socket: what no load generator from outside can know. */
import { hears } from "../../load/address.ts";
import type { Target } from "../../load/target.ts";
import type { Server, ServerSample } from "../../load/server.ts";
import type { Machine } from "../../settings/machine.ts";
import type { Settings } from "../../settings/table.ts";
import { DroverError } from "../../base/errors.ts";
import { seconds } from "../../base/units.ts";
import { askStatus } from "../client.ts";
import type { Status } from "../snapshot.ts";
import { HOW_TO_KNOW } from "../../tools/load/target-bars.ts";
import { remote, type Remote } from "./remote.ts";
import { processUse, type ProcessUse } from "./processes.ts";

const PATIENCE = seconds(2);

export interface Probed {
  readonly server: Server | undefined;
  /** Why the server's own figures are missing. */
  readonly note: string | undefined;
}

interface From {
  readonly settings: Settings;
  /** This one. */
  readonly machine: Machine;
  /** The admin API to read instead of the control socket. */
  readonly remote: Remote | undefined;
}

export async function probe(target: Target, { settings, machine, remote: api }: From): Promise<Probed> {
  if (api !== undefined) return { server: await remote(api), note: "CPU and memory are the whole machine's, from its admin API" };
  if (!target.loopback) return { server: undefined, note: `the server's own figures are missing: it is another machine. ${HOW_TO_KNOW}` };
  const status = await asked(settings);
  if (status !== undefined && serves(status, target)) return { server: watched(status, settings, machine), note: undefined };
  const why =
    status === undefined
      ? "no daemon of this folder (DROVER_RUN_DIR) is the target"
      : `the daemon of this folder serves ${status.urls.join(", ")}`;
  return { server: undefined, note: `the server's own figures are missing: ${why}` };
}

function watched(first: Status, settings: Settings, machine: Machine): Server {
  const use = processUse();
  let last = first;
  return {
    machine: { cpus: machine.cpus, memoryBytes: machine.memory },
    /** As it was last seen: a daemon that has just started has not heard of its tables yet. */
    get about() {
      return {
        cpus: machine.cpus,
        memoryBytes: machine.memory,
        workers: Math.max(1, last.workers.target),
        workerConnections: settings.worker_connections,
        cacheTtlMs: last.cacheTtl,
        tables: Math.max(1, last.upstream?.tables.length ?? 1),
        readsPerMinute: settings.reads_per_minute,
        tableTtlsMs: Object.fromEntries((last.upstream?.tables ?? []).flatMap(({ name, ttl }) => (ttl === undefined ? [] : [[name, ttl]]))),
      };
    },
    sample: async () => {
      const now = await asked(settings);
      if (now === undefined) return undefined;
      last = now;
      return sampleOf(now, use(pidsOf(now)));
    },
  };
}

async function asked(settings: Settings): Promise<Status | undefined> {
  try {
    return await askStatus(settings, PATIENCE);
  } catch (error) {
    if (error instanceof DroverError && error.code === "DROVER_E_NO_DAEMON") return undefined;
    throw error;
  }
}

/** Whether the target is one of its sockets. The URLs of a status show a wildcard as loopback, its addresses as what it is. */
export const serves = ({ addresses }: Pick<Status, "addresses">, { address, port }: Pick<Target, "address" | "port">): boolean =>
  addresses.some(({ name, kind }) => {
    const at = kind === "tcp" ? URL.parse(`http://${name}`) : null;
    return at !== null && Number(at.port === "" ? 80 : at.port) === port && hears(at.hostname, address);
  });

/** The emulator stands for Google, which burns nothing here. */
const pidsOf = (status: Status): number[] => [
  status.pid,
  ...status.places
    .filter(({ role }) => role !== "emulator")
    .flatMap(({ child, successor, leaving }) => [child, successor, ...leaving].flatMap((one) => (one === null ? [] : [one.pid]))),
];

function sampleOf(status: Status, use: ProcessUse): ServerSample {
  const { counters, upstream, places, machine } = status;
  const workers = places.filter(({ role }) => role === "worker");
  const elus = workers.flatMap(({ child }) => (child?.elu === null || child === null ? [] : [child.elu]));
  return {
    ...use,
    at: performance.now(),
    elu: elus.length === 0 ? undefined : Math.max(...elus),
    hits: counters.hits,
    stale: counters.stale,
    misses: counters.misses,
    upstreamCalls: counters.upstreamCalls,
    quota:
      upstream === null
        ? undefined
        : { used: upstream.quota.used, limit: upstream.quota.limit, locked: upstream.quota.lockedUntil > status.at },
    full: workers.length > 0 && workers.every(({ child }) => child?.full === true),
    workers: status.workers.ready,
    deaths: places.reduce((sum, { restarts }) => sum + restarts, 0),
    machineCpu: machine?.cpu,
  };
}

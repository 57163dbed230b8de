/** CPU and memory of a target on another machine: the daemon's admin API reports them to a viewer's token. */
import { DroverError, messageOf } from "../../base/errors.ts";
import { seconds } from "../../base/units.ts";
import { look } from "../../load/look.ts";
import type { Server, ServerMachine } from "../../load/server.ts";
import { findTarget, parseTarget } from "../../load/target.ts";

const PATIENCE = seconds(2);
const PATH = "/api/admin/stats";

export interface Remote {
  readonly url: string;
  readonly token: string;
}

/** Shares are 0…1 of the whole machine, or of the part that its cgroup grants. */
export interface RemoteUse {
  readonly machine: ServerMachine;
  readonly cpu: number;
  readonly ramUsed: number;
  readonly elu: number | undefined;
  readonly workers: number;
  readonly full: boolean;
  readonly deaths: number;
}

type Json = Readonly<Record<string, unknown>>;
const objectOf = (value: unknown): Json => (typeof value === "object" && value !== null ? (value as Json) : {});
const numberOf = (value: unknown): number => (typeof value === "number" && value >= 0 ? value : Number.NaN);

/** @returns undefined while the daemon has not sampled its machine. @throws Error when this is no answer of that API. */
export function remoteUse(body: string): RemoteUse | undefined {
  const stats = objectOf(JSON.parse(body));
  if (!("machine" in stats)) throw new Error(`expected the field "machine"`);
  if (stats["machine"] === null) return undefined;
  const machine = objectOf(stats["machine"]);
  const [cpus, cpu, used, total] = ["cpus", "cpu", "ram_used", "ram_total"].map((name) => numberOf(machine[name]));
  if (!(cpus && total) || Number.isNaN((cpu ?? Number.NaN) + (used ?? Number.NaN)))
    throw new Error(`expected cpus, cpu, ram_used and ram_total in "machine": update that drover`);
  const places = (Array.isArray(stats["places"]) ? stats["places"] : []).map(objectOf);
  const workers = places.filter(({ role }) => role === "worker");
  const elus = workers.map(({ elu }) => numberOf(elu)).filter((elu) => !Number.isNaN(elu));
  return {
    machine: { cpus, memoryBytes: total },
    cpu: cpu ?? 0,
    ramUsed: used ?? 0,
    elu: elus.length === 0 ? undefined : Math.max(...elus),
    workers: workers.filter(({ state }) => state === "ready").length,
    full: workers.length > 0 && workers.every(({ full }) => full === true),
    deaths: places.reduce((sum, { restarts }) => sum + (numberOf(restarts) || 0), 0),
  };
}

/** @throws DroverError DROVER_E_USAGE or DROVER_E_TARGET when the API can't be read at the start: a run without it measures half. */
export async function remote({ url, token }: Remote): Promise<Server> {
  const target = await findTarget(parseTarget(url), true);
  const fail = (why: string, cause?: unknown): DroverError =>
    new DroverError("DROVER_E_TARGET", `--admin ${target.url}: ${why}`, { cause });
  const ask = async (): Promise<RemoteUse | undefined> => {
    const asked = { path: PATH, headers: { authorization: `Bearer ${token}`, accept: "application/json" } };
    const { status, body } = await look(target, asked, { timeoutMs: PATIENCE });
    if (status === 401 || status === 403)
      throw fail(`${status}: the token is refused. On that machine: drover dashboard --token viewer --name load`);
    if (status !== 200) throw fail(`${status} (expected 200 from ${PATH}). Name the address of its admin API (docs/admin.md)`);
    try {
      return remoteUse(body);
    } catch (error) {
      throw fail(`unexpected answer from ${PATH}: ${messageOf(error)}`, error);
    }
  };
  let [machine, cpuSeconds, at] = [(await ask())?.machine, 0, performance.now()];
  const nothing = { hits: 0, stale: 0, misses: 0, upstreamCalls: 0, quota: undefined, machineCpu: undefined };
  return {
    get machine() {
      return machine ?? { cpus: 1, memoryBytes: 1 }; // never used: without a sample there are no figures
    },
    about: undefined,
    sample: async () => {
      const use = await ask();
      const now = performance.now();
      if (use === undefined) return undefined;
      machine = use.machine;
      cpuSeconds += (use.cpu * use.machine.cpus * (now - at)) / 1_000;
      at = now;
      const { elu, workers, full, deaths, ramUsed } = use;
      return { ...nothing, at: now, cpuSeconds, rssBytes: ramUsed, elu, workers, full, deaths };
    },
  };
}

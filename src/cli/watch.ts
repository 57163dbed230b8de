/** The watch over the machine and the children: it warns at the thresholds, tells the core when memory is short, and asks for recycling. */
import { cpuPressure, cpuShares, type CpuShares } from "../base/cpu-share.ts";
import type { Logger } from "../base/log.ts";
import type { Arbiter } from "../master/shell/arbiter.ts";
import type { Child } from "../master/shell/children.ts";
import { createMachineWatch, raised, THRESHOLDS, type MachineSample } from "../master/shell/machine-watch.ts";
import { readProcStat, TICKS_PER_SECOND } from "../master/shell/procstat.ts";
import type { MachineFacts } from "../master/snapshot.ts";
import { grantedCpus } from "../settings/machine.ts";
import type { Settings } from "../settings/table.ts";
import { createWear } from "./wear.ts";

/** CPU (cores, 1 = one whole core) and resident memory (bytes) of one child, from /proc. */
export interface ChildUse {
  readonly cpu: number;
  readonly rss: number;
}

interface Used extends ChildUse {
  readonly ticks: number;
  readonly at: number;
}

export interface Watch {
  /** Starts one round of samples; call it every few seconds. */
  round(): void;
  machine(): MachineFacts | undefined;
  use(pid: number): ChildUse | undefined;
  /** A worker reports that it reached its limit of requests. Each round asks again, in case it could not be replaced then. */
  wore(child: Child): void;
  /** RAM, or the part of the CPU that drover can get, is over its threshold now. */
  readonly over: { cpu: boolean; ram: boolean };
}

interface WatchParts {
  readonly log: Logger;
  readonly arbiter: Arbiter;
  settings(): Settings;
  /** A threshold was crossed, either way: the stats line comes at once. */
  crossed(): void;
}

/** Samples over which CPU is averaged before it is judged. */
const LOADS = 3;

const percent = (ratio: number): string => `${Math.round(ratio * 100)} %`;

export function createWatch({ log, arbiter, settings, crossed }: WatchParts): Watch {
  const over = { cpu: false, ram: false };
  let short = false;
  const uses = new WeakMap<Child, Used>();
  const wear = createWear();
  const loads: CpuShares[] = [];
  let master: { readonly micros: number; readonly at: number } | undefined;
  /** CPUs that drover's processes use, the master's own included. */
  let own: number | undefined;

  const level = (name: "cpu" | "ram", value: number, threshold: number, more = ""): void => {
    const now = raised(over[name], value, threshold);
    if (now === over[name]) return;
    over[name] = now;
    const text = `${name.toUpperCase()} is at ${percent(value)}${more}, ${now ? "over" : "back under"} its threshold of ${percent(threshold)}`;
    if (now) log.warn({ [name]: value }, text);
    else log.info({ [name]: value }, text);
    crossed();
  };

  const judge = (sample: MachineSample): void => {
    // A burst of one sample is no shortage of CPU; memory that is full is full.
    const { cpu, ownCpu } = shares(sample);
    loads.push({ cpu, ...(ownCpu === undefined ? {} : { ownCpu }) });
    if (loads.length > LOADS) loads.shift();
    const mean = loads.reduce((sum, load) => sum + cpuPressure(load), 0) / LOADS;
    if (loads.length === LOADS) level("cpu", mean, THRESHOLDS.cpu, cpu - mean >= 0.01 ? ` of what drover can get` : "");
    level("ram", sample.ram, THRESHOLDS.ram);
    const nowShort = raised(short, sample.ram, THRESHOLDS.ramShort);
    if (nowShort === short) return;
    short = nowShort;
    arbiter.feed({ type: "memory", short });
  };

  const machine = createMachineWatch(log, judge);
  const shares = (sample: MachineSample): MachineFacts => ({ ...sample, ...cpuShares({ load: sample.cpu, granted: grantedCpus(), own }) });

  const lookAtAll = (): void => {
    const [at, { user, system }] = [performance.now(), process.cpuUsage()];
    const spent = master === undefined ? undefined : (user + system - master.micros) / 1_000 / (at - master.at);
    master = { micros: user + system, at };
    const children = [...arbiter.children.values()];
    for (const child of children) lookAt(child);
    own = spent === undefined ? undefined : children.reduce((sum, child) => sum + (uses.get(child)?.cpu ?? 0), spent);
  };

  const lookAt = (child: Child): void => {
    const stat = readProcStat(child.pid);
    const at = performance.now();
    wore(child, stat?.rss, at);
    if (stat === undefined) return void uses.delete(child);
    const before = uses.get(child);
    const cpu = before === undefined ? 0 : (stat.cpuTicks - before.ticks) / TICKS_PER_SECOND / ((at - before.at) / 1_000);
    uses.set(child, { cpu, rss: stat.rss, ticks: stat.cpuTicks, at });
  };

  const wore = (child: Child, rss: number | undefined, at: number): void => {
    const why = child.role === "worker" || child.exposed ? wear.check(child, rss, settings(), at) : undefined;
    if (why !== undefined) arbiter.feed({ type: "recycle", place: child.place, pid: child.pid, why });
  };

  return {
    over,
    machine() {
      const last = machine.last();
      return last === undefined ? undefined : shares(last);
    },
    wore: (child) => wore(child, undefined, child.startedAt),
    use(pid) {
      const child = arbiter.children.get(pid);
      return child === undefined ? undefined : uses.get(child);
    },
    round() {
      machine.sample();
      lookAtAll();
    },
  };
}

import { seconds } from "../../base/units.ts";
import { cpuPressure, othersShow } from "../../base/cpu-share.ts";
import { BUSY } from "../busy.ts";
import { said, type Said } from "../said.ts";
import { NEAR, percent, YET, type AdviceInput, type Standing } from "./advice.ts";

/** What a worker younger than that has done is mostly its own start. */
const GROWN = seconds(5);

/** Of the memory in use: less is no measurement. */
const LEAST_USED = 16 * 1_048_576;

/** Where CPU and memory begin to bind: beyond, waits grow faster than work. */
const FULL = 0.9;
/** Just below NEAR, the share from which something is to be done. */
const BELOW_NEAR = 0.69;

/** What to do where other processes use the CPU or the memory that is short. */
const OTHERS = said`stop or move the other processes (\`top\` shows them), or more cores`;

/** NEAR at the resource's own bound, 1 when it is full, and linear between them. */
const shareOf = (used: number, bound: number): number =>
  used <= bound ? (used / bound) * NEAR : NEAR + ((used - bound) / (FULL - bound)) * (1 - NEAR);

export function cpuAdvice({ snapshot: { machine, workers }, cores }: AdviceInput): Standing | undefined {
  if (machine === null) return undefined;
  const { cpu, ownCpu } = machine;
  if (ownCpu !== undefined && othersShow(machine)) {
    const reason = said`the CPU is at ${percent(cpu)}, of which drover uses ${percent(ownCpu)}: other processes use the rest`;
    // A machine that others fill is worth a word, but it is not drover's limit and hides none.
    return {
      limit: "cpu",
      share: Math.max(shareOf(cpuPressure(machine), BUSY.cpu), Math.min(cpu / FULL, BELOW_NEAR)),
      reason,
      step: OTHERS,
    };
  }
  const reason =
    cores === 1
      ? said`the CPU is at ${percent(machine.cpu)} with ${workers.ready} workers on 1 core`
      : said`the CPU is at ${percent(machine.cpu)} with ${workers.ready} workers on ${cores} cores`;
  const more = workers.target > cores * 2 ? said`more cores; more workers would only share them` : said`more cores`;
  return { limit: "cpu", share: shareOf(machine.cpu, BUSY.cpu), reason, step: machine.cpu > BUSY.cpu ? more : YET };
}

export function memoryAdvice({ snapshot: { machine, workers, places } }: AdviceInput): Standing | undefined {
  if (machine === null) return undefined;
  const sizes = places.flatMap(({ role, child }) => (role === "worker" && child?.rss != null ? [child.rss] : []));
  const each = sizes.length === 0 ? 0 : sizes.reduce((sum, rss) => sum + rss, 0) / sizes.length;
  const reason = said`memory is at ${percent(machine.ram)}, ${workers.ready} workers take about ${Math.round(each / 1_048_576)} MiB each`;
  if (sizes.length > 0 && sizes.reduce((sum, rss) => sum + rss, 0) < machine.ramUsed / 2 && machine.ramUsed > LEAST_USED)
    return {
      limit: "memory",
      share: shareOf(machine.ram, BUSY.memory),
      reason,
      step: said`other processes use most of it: stop or move them (\`top\` shows them), or get a machine with more memory`,
    };
  const fewer = Math.max(1, workers.target - Math.max(1, Math.round(workers.target / 4)));
  const more =
    workers.target > 1 ? said`\`drover scale ${fewer}\` frees memory, or get a machine with more` : said`get a machine with more memory`;
  return { limit: "memory", share: shareOf(machine.ram, BUSY.memory), reason, step: machine.ram > BUSY.memory ? more : YET };
}

/** Workers that are missing, or event loops that are busy while cores are idle. */
export function workersAdvice({ snapshot, cores }: AdviceInput): Standing | undefined {
  const { workers, places, machine, state, roll } = snapshot;
  if (state !== "running" && state !== "reloading") return undefined;
  if (workers.ready < workers.target && roll === null) {
    const reason = said`${workers.ready} of ${workers.target} workers are ready`;
    return {
      limit: "workers",
      share: workers.ready === 0 ? 3 : 1,
      reason,
      step: said`see why under \`deaths\` in \`drover status\`, and in the log`,
    };
  }
  const grown = places.flatMap(({ role, child }) => (role === "worker" && child !== null && (child.uptime ?? 0) >= GROWN ? [child] : []));
  const loops = grown.flatMap(({ elu }) => elu ?? []);
  if (loops.length === 0) return undefined;
  const busy = loops.reduce((sum, elu) => sum + elu, 0) / loops.length;
  const reason =
    machine === null
      ? said`the workers' event loops are ${percent(busy)} busy`
      : said`the workers' event loops are ${percent(busy)} busy, the CPU is at ${percent(machine.cpu)}`;
  return { limit: "workers", share: busy / FULL, reason, step: stepForLoops(workers.target, cores, machine) };
}

/** Event loops are busy: more workers while the CPU has room, and more cores only when it has none. */
function stepForLoops(workers: number, cores: number, machine: AdviceInput["snapshot"]["machine"]): Said {
  if (machine !== null && machine.cpu > BUSY.cpu) return othersShow(machine) ? OTHERS : said`more cores`;
  if (machine !== null && workers < cores * 4) return said`\`drover scale ${Math.min(cores * 4, workers + cores)}\`, there is CPU left`;
  return said`\`drover stack SLOT\` shows with what`;
}

/** Of all workers. */
export const openConnections = (places: AdviceInput["snapshot"]["places"]): number =>
  places.reduce((sum, { role, child }) => sum + (role === "worker" ? (child?.connections ?? 0) : 0), 0);

export function connectionsAdvice({ snapshot: { places, workers }, connections }: AdviceInput): Standing | undefined {
  const open = openConnections(places);
  const cap = connections * Math.max(1, workers.ready);
  const reason = said`${open} of ${cap} connections are open`;
  return {
    limit: "connections",
    share: open / cap,
    reason,
    step: said`raise DROVER_WORKER_CONNECTIONS (${connections}), or shorten DROVER_KEEP_ALIVE`,
  };
}

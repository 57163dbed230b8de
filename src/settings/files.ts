/**
 * The descriptors of the processes (RLIMIT_NOFILE): what each needs, and how many connections the master may hold with the rest.
 */
import { MASTER_RESERVE } from "../base/descriptors.ts";
import type { Settings } from "./table.ts";

/** Descriptors a worker needs besides its connections: the listener, IPC, the broker, logs, its threads. */
export const SPARE_FILES = 100;

/** Connections to the control socket at a time. */
export const CONTROL_CONNECTIONS = 16;

/** The master's event loops, log, lock and sockets of its own. Measured: 33. */
const OWN = 40;
/** Of each child: its output, two pipes, and its channel. */
const OF_A_CHILD = 3;
/** Connections to an address of the administration, least and most. */
const [LEAST_ADMIN, MOST_ADMIN] = [16, 1_024];
/** Connections of one worker to the master. */
const OF_A_WORKER = 2;
/** A roll has two children for each place for a while, broker and emulator included. */
const AT_ONCE = 2;

type Sizes = Pick<Settings, "workers" | "bind" | "admin_bind">;

const leastFromWorkers = ({ workers }: Sizes): number => Math.max(LEAST_ADMIN, AT_ONCE * OF_A_WORKER * workers);

/** How many descriptors the master needs for so many workers, the hooks' process and the operator. */
export function masterFiles(settings: Sizes): number {
  const { workers, bind, admin_bind: own } = settings;
  const children = AT_ONCE * (workers + 2) + 2;
  const connections = CONTROL_CONNECTIONS + leastFromWorkers(settings) + (own === undefined ? 0 : LEAST_ADMIN);
  return OWN + MASTER_RESERVE + bind.length + (own?.length ?? 0) + OF_A_CHILD * children + connections;
}

/** The most workers whose master fits into `nofile` descriptors; 0: not even one. */
export function mostWorkers(settings: Sizes, nofile: number): number {
  let workers = settings.workers;
  while (workers > 0 && masterFiles({ ...settings, workers }) > nofile) workers -= 1;
  return workers;
}

/** Connections that the master holds at a time: from workers, to admin.sock, and from anybody, to DROVER_ADMIN_BIND. */
export function adminConnections(settings: Sizes, nofile: number | undefined): { readonly workers: number; readonly own: number } {
  const share = Math.max(0, Math.floor(((nofile ?? Infinity) - masterFiles(settings)) / 4)); // half of the rest stays free
  const within = (least: number): number => Math.max(least, Math.min(MOST_ADMIN, least + share));
  return { workers: within(leastFromWorkers(settings)), own: within(LEAST_ADMIN) };
}

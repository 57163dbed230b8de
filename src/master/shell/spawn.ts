/**
 * The one place where children are made. node:cluster gives workers their fork, IPC and exit events; the broker and the
 * emulator are plain forks, because cluster would resolve their own `listen` in the master. What cluster needs besides:
 *
 * - the executable is swapped around the fork for `setsid setpriv --pdeathsig KILL -- node`: a child dies with the master even
 *   when its loop is wedged or it is stopped (prctl(2) PR_SET_PDEATHSIG), and Ctrl-C at the terminal reaches the master alone;
 *   `chrt -b 0` before a worker's node makes its scheduling SCHED_BATCH (ADR 27);
 * - `inspectPort: 0`, so that a master under --inspect does not hand its port on;
 * - output as pipes, so that whatever a child prints becomes log lines.
 */
import { fork, type ChildProcess } from "node:child_process";
import cluster, { type Worker } from "node:cluster";
import { insideReserve, requireDescriptors } from "../../base/descriptors.ts";
import { messageOf } from "../../base/errors.ts";
import type { Role } from "../../base/protocol.ts";
import type { Wrapper } from "./wrapper.ts";

export interface SpawnSpec {
  readonly role: Role | "hooks";
  readonly slot: number;
  /** The application's, for the process's title. */
  readonly name: string;
  /** The child's first module. */
  readonly entry: string;
  /** Flags for the child's own node. */
  readonly nodeFlags: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  /** Arguments of the user's application. */
  readonly args?: readonly string[];
  /** It leaves the CPU to whoever has it when it wakes (SCHED_BATCH), where that can be. */
  readonly batch: boolean;
}

/**
 * Forks one child.
 * @throws Error (EAGAIN, ENOMEM, EMFILE …) when the kernel gives no process.
 */
export const spawnChild = (spec: SpawnSpec, wrapper: Wrapper): ChildProcess => insideReserve(() => forkChild(spec, wrapper));

function forkChild(spec: SpawnSpec, wrapper: Wrapper): ChildProcess {
  const [program, ...rest] = [...wrapper.words, ...(spec.batch ? wrapper.batch : []), process.execPath];
  const execArgv = [...rest, ...spec.nodeFlags];
  // Descriptor 4 is the master's standard output: where a child's own log goes when there is no log file.
  const stdio: ("ignore" | "pipe" | "ipc" | number)[] = ["ignore", "pipe", "pipe", "ipc", 1];
  const args = [spec.role, String(spec.slot), String(process.pid), spec.name, ...(spec.args ?? [])];
  checkDescriptors(spec);
  if (spec.role !== "worker") return born(fork(spec.entry, args, { execPath: program, execArgv, stdio, env: spec.env }), spec);
  const worker = clusterFork(spec, { program, execArgv, stdio, args });
  if (worker.process.pid === undefined && cluster.workers !== undefined) delete cluster.workers[worker.id]; // it will never exit
  return born(worker.process, spec);
}

/** The pipes to a child, and what libuv needs while it forks. */
const DESCRIPTORS = 12;

/** When it lacks a descriptor on its way, Node gives up without closing the pipes that it has made: then it must not begin. */
function checkDescriptors({ role, slot }: SpawnSpec): void {
  try {
    requireDescriptors(DESCRIPTORS);
  } catch (error) {
    const text = `no process for ${role} ${slot}: the master may open no more files (LimitNOFILE= in the unit, ulimit -n): ${messageOf(error)}`;
    throw new Error(text, { cause: error });
  }
}

/** fork() reports some failures as an event and no pid, with all its pipes open. */
function born(child: ChildProcess, { role, slot }: SpawnSpec): ChildProcess {
  if (child.pid !== undefined) return child;
  child.on("error", () => {});
  for (const stream of child.stdio ?? []) stream?.destroy();
  if (child.connected) child.disconnect();
  throw new Error(`no process for ${role} ${slot}: the system refused to fork (limits of processes or memory: ulimit -u, TasksMax=)`);
}

interface ForkSpec {
  readonly program: string;
  readonly execArgv: string[];
  readonly stdio: ("ignore" | "pipe" | "ipc" | number)[];
  readonly args: string[];
}

/** cluster takes the executable from process.execPath alone and everything else from one global record. */
function clusterFork(spec: SpawnSpec, { program, execArgv, stdio, args }: ForkSpec): Worker {
  // Before setupPrimary, which freezes it. Round-robin would accept in the master, and lose what a killed worker has not taken.
  cluster.schedulingPolicy = cluster.SCHED_NONE;
  cluster.setupPrimary({ exec: spec.entry, args, execArgv, stdio, inspectPort: 0, serialization: "json" });
  const own = process.execPath;
  process.execPath = program;
  try {
    const worker = cluster.fork(spec.env);
    worker.on("error", () => {}); // the same error as the process's, which is listened to; unheard it would end the master
    return worker;
  } finally {
    process.execPath = own;
  }
}

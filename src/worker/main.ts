import { messageOf } from "../base/errors.ts";
import { EXIT } from "../base/exit.ts";
import type { MasterPort } from "../base/port.ts";
import type { ToChild } from "../base/protocol.ts";
import type { WorkerConfig } from "./config.ts";
import type { Configured, Host, WorkerDeps } from "./deps.ts";
import { exitCodeOf, sayFatal } from "./fatal.ts";
import { lowerPriority } from "./priority.ts";
import { installWorkerSignals } from "./signals.ts";
import { Worker } from "./worker.ts";

/**
 * The life of a worker process: configure → load the application → listen on the master's sockets → ready → beats → drain.
 * The master sends `configure` first and the handles to listen on right after it, without waiting.
 * @param open makes the log and the services, once it is known who this worker is.
 * @param host the process: its signals and its end.
 */
export function runWorker(
  port: MasterPort,
  open: (configured: Configured) => WorkerDeps,
  host: Host = { signals: process, exit: (code) => process.exit(code) },
): void {
  const { exit } = host;
  const fail = (thrown: unknown): void => void (sayFatal(port, thrown), setImmediate(exit, exitCodeOf(thrown)));
  let worker: Worker | undefined;
  installWorkerSignals(
    host.signals,
    () => (worker === undefined ? exit(EXIT.done.code) : worker.drain("operator")),
    () => port.send({ type: "handles", signal: "SIGUSR1" }),
  );
  port.onMessage((message, handle) => {
    if (message.type !== "configure") return worker?.take(message, handle);
    if (worker !== undefined) return;
    try {
      const configured = configuredBy(message);
      const deps = open(configured);
      const stepBack = (): Promise<void> =>
        lowerPriority(configured.config.priority).catch((error: unknown) =>
          deps.log.warn(`this worker keeps its priority (DROVER_WORKER_PRIORITY): ${messageOf(error)}`),
        );
      worker = new Worker(port, configured, deps, host);
      worker.start(message.beatEvery).then(stepBack, fail); // once it is ready: while it starts clients wait for it
    } catch (thrown) {
      fail(thrown);
    }
  });
}

function configuredBy(message: Extract<ToChild, { type: "configure" }>): Configured {
  const { slot, generation, masterPid, addresses, config } = message;
  return { slot, generation, masterPid, addresses, config: config as WorkerConfig };
}

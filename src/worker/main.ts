import type { EventEmitter } from "node:events";
import { DroverError, messageOf } from "../base/errors.ts";
import { EXIT } from "../base/exit.ts";
import type { MasterPort } from "../base/port.ts";
import type { ToChild } from "../base/protocol.ts";
import type { WorkerConfig } from "./config.ts";
import type { Configured, WorkerDeps } from "./deps.ts";
import { installWorkerSignals } from "./signals.ts";
import { Worker } from "./worker.ts";

export interface Host {
  readonly signals: EventEmitter;
  readonly exit: (code: number) => void;
}

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
  installWorkerSignals(host.signals, () => (worker === undefined ? exit(EXIT.done.code) : worker.drain("operator")));
  port.onMessage((message, handle) => {
    if (message.type !== "configure") return worker?.take(message, handle);
    if (worker !== undefined) return;
    try {
      const configured = configuredBy(message);
      worker = new Worker(port, configured, open(configured), exit);
      worker.start(message.beatEvery).catch(fail);
    } catch (thrown) {
      fail(thrown);
    }
  });
}

function configuredBy(message: Extract<ToChild, { type: "configure" }>): Configured {
  const { slot, generation, masterPid, addresses, config } = message;
  return { slot, generation, masterPid, addresses, config: config as WorkerConfig };
}

function sayFatal(port: MasterPort, thrown: unknown): void {
  const code = thrown instanceof DroverError ? thrown.code : "DROVER_E_BOOT";
  const message = thrown instanceof Error && !(thrown instanceof DroverError) ? (thrown.stack ?? thrown.message) : messageOf(thrown);
  port.send({ type: "fatal", exit: exitCodeOf(thrown), code, message: message.slice(0, 65_536) });
}

function exitCodeOf(thrown: unknown): number {
  return thrown instanceof DroverError ? thrown.exit : EXIT.bootFailed.code;
}

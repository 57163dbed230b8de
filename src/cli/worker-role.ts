/** The composition of a worker. */
import type { Logger } from "../base/log.ts";
import type { Loaders } from "../worker/deps.ts";
import { diesWithMaster } from "../worker/lifeline.ts";
import { runWorker } from "../worker/main.ts";
import { streamsOf } from "../base/slots.ts";
import { openLog, type Birth } from "./birth.ts";
import type { Door } from "./door.ts";
import { brokerServices, type WorkerServices } from "./tables-service.ts";

/** @param makeDoor the door to the administration, which the built-in service has. */
export function startWorker(
  { port, masterPid }: Birth,
  loaders: Loaders,
  makeDoor?: (admin: WorkerServices["admin"], log: Logger) => Door,
): void {
  diesWithMaster(port, masterPid);
  runWorker(port, ({ slot, generation, config }) => {
    const sink = openLog("worker", slot, generation, config);
    const { staticDir, reconnect, sessions, limits, admin, ...extras } = config.extras as unknown as WorkerServices;
    const broker = brokerServices({ slot, generation, extras }, port, sink.log);
    const door = makeDoor?.(admin, sink.log);
    return {
      log: sink.log,
      ...(door === undefined ? {} : { adminKeys: (keys) => door.take(keys) }),
      lines: sink.lines,
      reopen: () => sink.reopen(),
      loaders,
      brokerLost: () => broker.lost(),
      services: {
        get tables() {
          return broker.use().tables;
        },
        get ledger() {
          return broker.use().ledger;
        },
        limits,
        sessions,
        site: { staticDir: staticDir ?? undefined, ...(door === undefined ? {} : { admin: door }) },
        live: { reconnect, mostStreams: streamsOf(config.connections) },
      },
    };
  });
}

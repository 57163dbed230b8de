/** What a child becomes: the composition of each role. Modules are loaded by role, so that the broker has no web framework and a worker no Google client. */
import { compactOnceIdle } from "../base/compact.ts";
import { createLog, type LogLevel, type LogSink, type LogTarget } from "../base/log.ts";
import type { Role } from "../base/protocol.ts";
import type { EmulatorConfig } from "../emulator/config.ts";
import type { BufferedPort } from "./child-port.ts";
import type { WorkerServices } from "./tables-service.ts";

/** Every role's config has this. */
interface WithLog {
  readonly log: { readonly target: LogTarget; readonly level: LogLevel };
}

/** Of a worker's connections: the rest is for those who read and write. */
const STREAMS = 0.75;

function openLog(role: Role, slot: number, generation: number, config: unknown): LogSink {
  const { target, level } = (config as WithLog).log;
  return createLog({ role, slot, generation }, level, target);
}

/** @param role the child's first argument. @throws Error for a role that is none. */
export async function startRole(role: string, port: BufferedPort, masterPid: number): Promise<void> {
  switch (role) {
    case "worker":
      return worker(port, masterPid);
    case "broker":
      return broker(port);
    case "emulator":
      return emulator(port);
    default:
      throw new Error(`no such role: ${role}`);
  }
}

async function worker(port: BufferedPort, masterPid: number): Promise<void> {
  const [{ runWorker }, { diesWithMaster }, { brokerServices }, { createDoor }] = await Promise.all([
    import("../worker/main.ts"),
    import("../worker/lifeline.ts"),
    import("./tables-service.ts"),
    import("./door.ts"),
  ]);
  diesWithMaster(port, masterPid);
  runWorker(port, ({ slot, generation, config }) => {
    const sink = openLog("worker", slot, generation, config);
    const { staticDir, reconnect, sessions, limits, admin, ...extras } = config.extras as unknown as WorkerServices;
    const broker = brokerServices({ slot, generation, extras }, port, sink.log);
    const isOwnCode = config.app === null;
    if (isOwnCode) compactOnceIdle(); // an application may need another rhythm, and its heap may be large
    const door = isOwnCode ? createDoor(admin, sink.log) : undefined;
    return {
      log: sink.log,
      ...(door === undefined ? {} : { adminKeys: (keys) => door.take(keys) }),
      lines: sink.lines,
      reopen: () => sink.reopen(),
      loadBuiltIn: () => import("../app/index.ts"),
      loadFace: async () => (await import("../index.ts")).drover,
      services: {
        get tables() {
          return broker().tables;
        },
        get ledger() {
          return broker().ledger;
        },
        limits,
        sessions,
        site: { staticDir: staticDir ?? undefined, ...(door === undefined ? {} : { admin: door }) },
        live: { reconnect, mostStreams: Math.max(1, Math.floor(config.connections * STREAMS)) },
      },
    };
  });
}

async function broker(port: BufferedPort): Promise<void> {
  const [{ runBroker }, { openWrites }, { slot, generation, config }] = await Promise.all([
    import("../broker/main.ts"),
    import("../broker/means.ts"),
    port.configured,
  ]);
  const sink = openLog("broker", slot, generation, config);
  await runBroker(port, { log: sink.log, reopen: () => sink.reopen(), openWrites });
  compactOnceIdle();
}

async function emulator(port: BufferedPort): Promise<void> {
  const [{ runEmulator }, { config }] = await Promise.all([import("../emulator/main.ts"), port.configured]);
  runEmulator(config as EmulatorConfig, port);
  compactOnceIdle();
}

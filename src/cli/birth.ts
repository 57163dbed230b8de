/** What all children begin with. */
import { CHILD_RESERVE, holdReserve } from "../base/descriptors.ts";
import { createLog, type LogLevel, type LogSink, type LogTarget } from "../base/log.ts";
import type { Role } from "../base/protocol.ts";
import { endWithoutMaster } from "./orphan.ts";
import { bufferedPort, type BufferedPort } from "./child-port.ts";

export interface Birth {
  readonly port: BufferedPort;
  readonly masterPid: number;
}

/** To be called before its module awaits anything: until somebody listens Node.js keeps what arrives, and then it is all at once. */
export function begin(): Birth {
  const masterPid = Number(process.argv[4]);
  endWithoutMaster(masterPid);
  holdReserve(CHILD_RESERVE);
  return { port: bufferedPort(), masterPid };
}

/** Every role's config has this. */
interface WithLog {
  readonly log: { readonly target: LogTarget; readonly level: LogLevel };
}

export function openLog(role: Role, slot: number, generation: number, config: unknown): LogSink {
  const { target, level } = (config as WithLog).log;
  return createLog({ role, slot, generation }, level, target, true);
}

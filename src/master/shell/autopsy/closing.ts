/** Closes the inspector of a process that lives on: who connects to it may take the process over, so that it must not stay open. */
import { connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { seconds, type Ms } from "../../../base/units.ts";
import { openSession } from "./session.ts";

/** On a machine without CPU to spare a process may open its inspector, and hear that it is to close it, this much later. */
export const CLOSED_WITHIN = seconds(30);
/** One attempt. */
const ATTEMPT = seconds(2);
const BETWEEN = 50;
const CLOSE = 'process.getBuiltinModule("node:inspector").close()';

export interface ClosingIo {
  isOpen(address: string): Promise<boolean>;
  /** One attempt; it may fail. */
  close(address: string): Promise<void>;
}

const system: ClosingIo = {
  isOpen: (address) =>
    new Promise((resolve) => {
      const { hostname: host, port } = new URL(address);
      const socket = connect({ host, port: Number(port) }, () => (socket.destroy(), resolve(true)));
      socket.once("error", () => resolve(false));
    }),
  async close(address) {
    const session = await openSession(address, AbortSignal.timeout(ATTEMPT));
    session.call("Debugger.disable").catch(() => {}); // the inspector ends with its connections: there may be no answer
    session.call("Runtime.evaluate", { expression: CLOSE }).catch(() => {});
    await Promise.race([session.closed, sleep(ATTEMPT)]);
    session.close();
  },
};

/** Tries until a connection is refused. @returns false when it is still open when the time is over. */
export async function closeInspector(address: string, within: Ms = CLOSED_WITHIN, io: ClosingIo = system): Promise<boolean> {
  for (const end = performance.now() + within; ;) {
    if (!(await io.isOpen(address))) return true;
    if (performance.now() >= end) return false;
    await io.close(address).catch(() => {}); // whether it is closed is what counts, and is looked at next
    await sleep(BETWEEN);
  }
}

/** Closes the inspector of a process that lives on: who connects to it may take the process over, so that it must not stay open. */
import { connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { errnoOf } from "../../../base/errors.ts";
import { seconds, type Ms } from "../../../base/units.ts";
import { openSession } from "./session.ts";

/** On a machine without CPU to spare a process may open its inspector, and hear that it is to close it, this much later. */
export const CLOSED_WITHIN = seconds(30);
/** One attempt. */
const ATTEMPT = seconds(2);
const BETWEEN = 50;
/** So many answers without effect are no want of CPU: the application does not let its inspector close. */
const MOST_ANSWERS = 5;
const CLOSE = 'process.getBuiltinModule("node:inspector").close()';

export interface ClosingIo {
  isOpen(address: string): Promise<boolean>;
  /** One attempt; it may fail. @returns whether the process answered. */
  close(address: string): Promise<boolean>;
}

const system: ClosingIo = {
  isOpen: (address) =>
    new Promise((resolve) => {
      const { hostname: host, port } = new URL(address);
      const socket = connect({ host, port: Number(port) }, () => (socket.destroy(), resolve(true)));
      socket.once("error", (error) => resolve(errnoOf(error) !== "ECONNREFUSED")); // any other error says nothing of the inspector
    }),
  async close(address) {
    const session = await openSession(address, AbortSignal.timeout(ATTEMPT));
    session.call("Debugger.disable").catch(() => {}); // the inspector ends with its connections: there may be no answer
    const answered = session.call("Runtime.evaluate", { expression: CLOSE }).then(
      () => true,
      () => false,
    );
    const isAnswered = await Promise.race([answered, session.closed.then(() => false), sleep(ATTEMPT, false)]);
    session.close();
    return isAnswered;
  },
};

/** Tries until a connection is refused. @returns false when it is still open when the time is over, or after answers without effect. */
export async function closeInspector(address: string, within: Ms = CLOSED_WITHIN, io: ClosingIo = system): Promise<boolean> {
  let answers = 0;
  for (const end = performance.now() + within; ;) {
    if (!(await io.isOpen(address))) return true;
    if (performance.now() >= end || answers >= MOST_ANSWERS) return false;
    if (await io.close(address).catch(() => false)) answers += 1; // whether it is closed is what counts, and is looked at next
    await sleep(BETWEEN);
  }
}

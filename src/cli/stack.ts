/** `drover stack SLOT`: what one worker does now, and it goes on. */
import { setTimeout as sleep } from "node:timers/promises";
import { seconds } from "../base/units.ts";
import { frameText, requestText, type Findings } from "../master/shell/autopsy/findings.ts";
import type { ControlAnswer } from "../master/shell/control.ts";
import { placeId } from "../master/core/model.ts";
import type { Daemon } from "./daemon.ts";

/** Longer than before a kill: nothing waits for it but the operator. */
const BUDGET = seconds(2);
const RELEASED_WITHIN = seconds(1);

/** Looks inside the worker of a slot, resumes it and closes its inspector. It is held for some tenths of a second. */
export async function stackOf({ arbiter }: Pick<Daemon, "arbiter">, slot: unknown): Promise<ControlAnswer> {
  const refused = (message: string): ControlAnswer => ({ ok: false, message });
  const numbers = [...arbiter.state().places.values()].filter((place) => place.role === "worker").map((place) => place.nr);
  if (typeof slot !== "number" || !numbers.includes(slot))
    return refused(`there is no worker ${JSON.stringify(slot)}: 0 to ${Math.max(...numbers)}`);
  const incumbent = arbiter.state().places.get(placeId("worker", slot))?.incumbent;
  if (incumbent?.is !== "ready") return refused(`worker ${slot} is ${incumbent?.is ?? "gone"}: only a ready one can be asked`);
  const child = arbiter.children.get(incumbent.pid);
  if (child?.inspectable === true && child.handlesSignal)
    return refused(`the application of worker ${slot} handles SIGUSR1, which would open its debugger: its stack can't be read`);
  if (child?.inspectable === false) return refused(`worker ${slot} was started with DROVER_AUTOPSY=off: it opens no debugger`);
  const found = await arbiter.look(incumbent.pid, BUDGET);
  if (found === undefined) return refused(`worker ${slot} has just ended`);
  await Promise.race([found.release(), sleep(RELEASED_WITHIN)]); // it goes on without us where the machine is busy
  return { ok: true, message: render(slot, incumbent.pid, found) };
}

function render(slot: number, pid: number, { text, verdict, frames, requests, rss, waits }: Findings): string {
  const memory = rss === undefined ? "" : `, ${Math.round(rss / 1_048_576)} MiB`;
  const doing = frames.length > 0 ? "runs JavaScript" : requests !== undefined ? "is idle" : verdict === "native" ? text : `is ${verdict}`;
  return [
    `worker ${slot} (pid ${pid}) ${doing}${memory}${waits === "" || frames.length > 0 ? "" : `, waits in ${waits}`}`,
    ...frames.map((frame) => `    at ${frameText(frame)}`),
    ...(requests === undefined ? [] : [requests.length === 0 ? "no request in flight" : "in flight, oldest first:"]),
    ...(requests ?? []).map((request) => `    ${requestText(request)}`),
  ].join("\n");
}

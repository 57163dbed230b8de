/**
 * `GET /api/admin/health`: public. Without a key it is minimal, and answered from what the master pushed last. The master itself
 * answers a request with a key, in full.
 */
import type { Health } from "../../base/protocol.ts";
import { capacityOf } from "../../base/slots.ts";
import { json, type AdminAnswer } from "../request.ts";

/** What a caller with a key sees besides the status. */
export interface FullHealth {
  readonly version: string;
  readonly uptime_s: number;
  /** As `GET /api/admin/capacity` has it. */
  readonly capacity: object;
}

/**
 * 503 when nothing serves, never because it is full: a monitor that took the machine out for that would make it worse. Who wants otherwise
 * says `?fail_on=full`, `?fail_on=warning`, or from how many percent on: `?fail_on=90`.
 */
export function healthAnswer({ status, workers, slots }: Health, query: URLSearchParams, full?: FullHealth): AdminAnswer {
  const minimal =
    slots === undefined || slots === null ? {} : { capacity: { status: slots.status, percent_used: capacityOf(slots).percentUsed } };
  const serving = status !== "stopping" && workers.ready > 0;
  const failOn = query.get("fail_on");
  const isFull = slots?.status === "FULL" && (failOn === "full" || failOn === "warning");
  const warning = slots?.status === "WARNING" && failOn === "warning";
  const above = slots !== undefined && slots !== null && /^\d{1,3}$/.test(failOn ?? "") && capacityOf(slots).percentUsed >= Number(failOn);
  const well = serving && !isFull && !warning && !above;
  const word = serving ? status : status === "stopping" ? "stopping" : "down";
  return json(well ? 200 : 503, { status: word, ...(full ?? minimal) }, well ? {} : { "Retry-After": serving ? "30" : "5" });
}

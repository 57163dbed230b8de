/** A broker's ledger and its workers in one process, without a socket. */
import { pino } from "pino";
import { systemClock, type Clock } from "../../../src/base/clock.ts";
import { minutes, ms, type Ms } from "../../../src/base/units.ts";
import { EmbeddedStore } from "../../../src/broker/ledger/embedded.ts";
import { keepNothing, type Kept } from "../../../src/broker/ledger/kept.ts";
import { Registry } from "../../../src/broker/ledger/registry.ts";
import type { SlotRules } from "../../../src/broker/ledger/slots.ts";
import type { Ledger, Session, Tallies } from "../../../src/sheets/ledger.ts";
import { createLedger } from "../../../src/sheets/ledger-client.ts";
import { directLink } from "../../../src/sheets/ledger-link.ts";

export const RULES: SlotRules = { max: 3, perUser: 1, conflict: "take-over", lease: minutes(10) };

export interface ByHand {
  readonly host: Registry;
  readonly store: EmbeddedStore;
  readonly lines: string[];
  worker(): Ledger & Tallies;
}

export function ledgerByHand(
  options: { clock?: Clock; rules?: Partial<SlotRules>; zone?: string; open?: () => Kept; pause?: () => Ms } = {},
): ByHand {
  const lines: string[] = [];
  const log = pino({ level: "trace" }, { write: (line: string) => void lines.push(line) });
  const { clock = systemClock, zone = "UTC", open = () => keepNothing, pause = () => ms(20) } = options;
  const store = new EmbeddedStore({ rules: { ...RULES, ...options.rules }, zone, clock, log, open, pause });
  const host = new Registry(store, log);
  host.start();
  return { host, store, lines, worker: () => createLedger(directLink(host), { clock, tellEvery: ms(20) }) };
}

let sessions = 0;
export const session = (user: string, since: number, more: Partial<Session> = {}): Session => ({
  id: `s${String((sessions += 1)).padStart(8, "0")}`,
  user,
  admin: false,
  since: since as Session["since"],
  ...more,
});

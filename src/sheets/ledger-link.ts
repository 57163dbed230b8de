/** How a worker's ledger reaches the broker's: over the socket in the daemon, by a call in tests. */
import type { Deed, Entry, Session, Spent } from "./ledger.ts";
import type { LedgerEvents, LedgerHost, LedgerSeat, Renewal, Tally } from "./ledger-host.ts";

export interface LedgerLinkEvents extends LedgerEvents {
  /** The other end went away or came back; what is said while it is away is lost. */
  link(up: boolean): void;
}

/** Questions may take as long as the broker is away, within the transport's patience. */
export interface LedgerLink {
  /** @returns undefined when there was no answer in time. */
  enter(session: Session, before?: Session, within?: readonly Deed[]): Promise<Entry | undefined>;
  /** @returns whether it is durable that the session is over. */
  leave(session: Session): Promise<boolean>;
  spend(deeds: readonly Deed[]): Promise<Spent | undefined>;
  refund(deeds: readonly Deed[]): void;
  renew(renewal: Renewal): void;
  tally(tallies: readonly Tally[]): void;
  listen(events: LedgerLinkEvents): void;
}

/** A broker's ledger within reach of a function call: tests and library use. */
export function directLink(host: LedgerHost): LedgerLink {
  let seat: LedgerSeat | undefined;
  return {
    enter: async (session, before, within) => await seat?.enter(session, before, within),
    leave: async (session) => (await seat?.leave(session)) === true,
    spend: async (deeds) => await seat?.spend(deeds),
    refund: (deeds) => seat?.refund(deeds),
    renew: (renewal) => seat?.renew(renewal),
    tally: (tallies) => seat?.tally(tallies),
    listen(events) {
      seat = host.join(events);
      events.link(true);
    },
  };
}

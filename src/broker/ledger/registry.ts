/** The workers of a broker: forwards their calls to the session store, and sends its changes to all of them. */
import type { Logger } from "../../base/log.ts";
import type { SlotsState } from "../../base/slots.ts";
import type { LedgerEvents, LedgerHost, LedgerSeat, Tally } from "../../sheets/ledger-host.ts";
import type { LedgerStore } from "./store.ts";

export class Registry implements LedgerHost {
  readonly store: LedgerStore;
  readonly #log: Logger;
  readonly #seats = new Set<LedgerEvents>();
  #told: SlotsState | undefined;

  constructor(store: LedgerStore, log: Logger) {
    this.store = store;
    this.#log = log;
  }

  /** Never throws. */
  start(): void {
    this.store.start({
      ended: (id, why) => {
        for (const seat of this.#seats) seat.ended(id, why);
      },
      changed: () => this.#tell(),
    });
  }

  /** From now on workers are to ask another broker. */
  close(): void {
    this.store.close();
  }

  join(events: LedgerEvents): LedgerSeat {
    const { store } = this;
    this.#seats.add(events);
    if (this.#told !== undefined) events.slots(this.#told);
    return {
      enter: (session, before, within) => store.enter(session, before, within),
      leave: (session) => store.leave(session),
      spend: (deeds) => store.spend(deeds),
      refund: (deeds) => store.refund(deeds),
      renew: (renewal) => store.renew(renewal),
      tally: (tallies) => this.#tally(tallies, events),
      end: () => void this.#seats.delete(events),
    };
  }

  #tally(tallies: readonly Tally[], from: LedgerEvents): void {
    this.store.tally(tallies);
    for (const seat of this.#seats) if (seat !== from) seat.tallied(tallies);
  }

  #tell(): void {
    const { state } = this.store;
    const told = this.#told;
    if (state.used === told?.used && state.max === told.max && state.closed === told.closed) return;
    if (told !== undefined && state.status !== told.status) this.#say(state);
    this.#told = state;
    for (const seat of this.#seats) seat.slots(state);
  }

  #say({ used, max, status }: SlotsState): void {
    this.#log[status === "FULL" ? "warn" : "info"]({ slots: used, max }, `slots ${used}/${max} ${status}`);
  }
}

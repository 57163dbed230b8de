/** One worker's place at the ledger, as the broker's socket has it. */
import { LRUCache } from "lru-cache";
import type { Spent } from "../../sheets/ledger.ts";
import type { LedgerHost, LedgerSeat } from "../../sheets/ledger-host.ts";
import type { FromBroker, FromClient } from "../../sheets/wire.ts";

type Call = Extract<FromClient, { type: "call" }>;
export type LedgerCall = Extract<Call, { method: "enter" | "leave" | "spend" }>;
export type LedgerNews = Extract<FromClient, { type: "renew" | "refund" | "tally" }>;

const ANSWERS_KEPT = 1_000;

/** Answers of `spend` by the id of their call: one that is said again counts once. */
export class SpentCalls {
  readonly #answers = new LRUCache<string, Promise<Spent | undefined>>({ max: ANSWERS_KEPT });

  async spend({ id, params }: Extract<LedgerCall, { method: "spend" }>, seat: LedgerSeat): Promise<Spent | undefined> {
    const answer = this.#answers.get(id) ?? seat.spend(params.deeds);
    this.#answers.set(id, answer);
    const spent = await answer;
    if (spent === undefined) this.#answers.delete(id); // nothing was counted: it will be asked again
    return spent;
  }
}

export interface SeatRpc {
  heard(message: LedgerNews): void;
  answer(call: LedgerCall): Promise<void>;
  end(): void;
}

/** @param host undefined: this broker has no ledger, and says of everything that another is to be asked. */
export function seatRpc(host: LedgerHost | undefined, calls: SpentCalls, say: (message: FromBroker) => void): SeatRpc {
  const seat = host?.join({
    slots: (state) => say({ type: "slots", ...state }),
    ended: (session, why) => say({ type: "ended", session, why }),
    tallied: (tallies) => say({ type: "tallied", tallies }),
  });
  return {
    heard(message) {
      if (message.type === "renew") seat?.renew(message);
      else if (message.type === "refund") seat?.refund(message.deeds);
      else seat?.tally(message.tallies);
    },
    async answer(call) {
      const { id } = call;
      if (call.method === "enter") {
        const admission = await seat?.enter(call.params.session, call.params.before, call.params.within);
        return say({ type: "entered", id, ...(admission === undefined ? {} : { admission }) });
      }
      if (call.method === "leave") {
        const done = await seat?.leave(call.params.session);
        return say({ type: "left", id, done: done === true, ...(done === false ? { away: true } : {}) });
      }
      const spent = seat === undefined ? undefined : await calls.spend(call, seat);
      return say({ type: "spent", id, ...(spent === undefined ? {} : { spent }) });
    },
    end: () => seat?.end(),
  };
}

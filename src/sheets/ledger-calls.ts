/** The ledger's part of the transport to the broker: questions and news go out, answers and what is pushed come in. */
import type { SlotsState } from "../base/slots.ts";
import { ms, type Ms } from "../base/units.ts";
import type { Deed, Entry, Session, Spent } from "./ledger.ts";
import type { Renewal, Tally } from "./ledger-host.ts";
import type { LedgerLink, LedgerLinkEvents } from "./ledger-link.ts";
import type { Call, FromBroker, FromClient } from "./wire.ts";

export type LedgerAnswer = Extract<FromBroker, { type: "entered" | "left" | "spent" }>;
export type LedgerPush = Extract<FromBroker, { type: "slots" | "ended" | "tallied" }>;

/** What the transport does for it. */
export interface LedgerWires {
  /** @returns the answer, or one of another type when there is none. */
  ask(call: () => Call, within?: Ms): Promise<LedgerAnswer | { readonly type: string }>;
  /** Lost while the broker is away. */
  tell(message: FromClient): void;
}

/** A count is worth no long wait: a reload takes less, and when the broker is gone the worker counts alone. */
const SPEND_WITHIN = ms(1_500);

const isType = <T extends LedgerAnswer["type"]>(how: { readonly type: string }, type: T): how is Extract<LedgerAnswer, { type: T }> =>
  how.type === type;

/** @returns whether the broker has answered: else the ledger is on its way to another one, who is to be asked. */
export function isAnswered(answer: LedgerAnswer): boolean {
  if (answer.type === "left") return answer.done || answer.away === true;
  return answer.type === "entered" ? answer.admission !== undefined : answer.spent !== undefined;
}

export class LedgerCalls implements LedgerLink {
  readonly #wires: LedgerWires;
  #events: LedgerLinkEvents | undefined;
  #slots: SlotsState | undefined;
  #up = false;

  constructor(wires: LedgerWires) {
    this.#wires = wires;
  }

  async enter(session: Session, before?: Session, within?: readonly Deed[]): Promise<Entry | undefined> {
    const params = { session, ...(before === undefined ? {} : { before }), ...(within === undefined ? {} : { within }) };
    const how = await this.#wires.ask(() => ({ method: "enter", params }));
    return isType(how, "entered") ? how.admission : undefined;
  }

  async leave(session: Session): Promise<boolean> {
    const how = await this.#wires.ask(() => ({ method: "leave", params: { session } }));
    return isType(how, "left") && how.done;
  }

  async spend(deeds: readonly Deed[]): Promise<Spent | undefined> {
    const how = await this.#wires.ask(() => ({ method: "spend", params: { deeds } }), SPEND_WITHIN);
    return isType(how, "spent") ? how.spent : undefined;
  }

  refund(deeds: readonly Deed[]): void {
    this.#wires.tell({ type: "refund", deeds });
  }

  renew(renewal: Renewal): void {
    this.#wires.tell({ type: "renew", ...renewal });
  }

  tally(tallies: readonly Tally[]): void {
    this.#wires.tell({ type: "tally", tallies });
  }

  listen(events: LedgerLinkEvents): void {
    this.#events = events;
    if (this.#slots !== undefined) events.slots(this.#slots);
    events.link(this.#up);
  }

  linked(up: boolean): void {
    this.#up = up;
    this.#events?.link(up);
  }

  heard(push: LedgerPush): void {
    if (push.type === "ended") return this.#events?.ended(push.session, push.why);
    if (push.type === "tallied") return this.#events?.tallied(push.tallies);
    const { type: _, ...state } = push;
    this.#slots = state;
    this.#events?.slots(state);
  }
}

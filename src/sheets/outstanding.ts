/** The calls of a worker that have no answer yet: each is said to every broker that comes, until one answers it or its time is over. */
import { randomBytes } from "node:crypto";
import { ms, type Ms } from "../base/units.ts";
import { isAnswered, type LedgerAnswer } from "./ledger-calls.ts";
import type { Call, FromBroker, FromClient } from "./wire.ts";
import type { WriteAnswer } from "./writes.ts";

type Written = Extract<WriteAnswer, { is: "written" }>;
type WriteAnswered = Extract<FromBroker, { type: "answer" }>;

/** How a call ended. */
export type Ending =
  | Extract<FromBroker, { type: "reply" | "found" }>
  | WriteAnswered
  | LedgerAnswer
  /** Without an answer. `unsure`: it was said, and may have had its effect. */
  | { readonly type: "none"; readonly why: string; readonly unsure: boolean };

/** The broker's answers, of all kinds. */
export type Answer = Exclude<Ending, { type: "none" }>;

/** A call without an answer yet: said again, under the same id, to whichever broker answers next. */
interface Outstanding {
  readonly message: () => FromClient;
  /** It may have reached a broker that did not answer. */
  unsure: boolean;
  /** It has been said to the broker that is there now. */
  said: boolean;
  /** What it was answered by a broker that gave the journal up before the sheet had it: good, unless there is a better one. */
  answer: Written | undefined;
  readonly end: (how: Ending) => void;
  /** Ends it without an answer. */
  readonly give: (why: string) => void;
}

/** The connection that calls are said through. */
export interface Line {
  isUp(): boolean;
  say(message: FromClient): void;
}

/** A broker that is handing over is asked again after this time, unless its successor is there before. */
const AGAIN = ms(50);
/** What the other end, which may be away, is to be told: less than what a connection takes, and less calls than a broker does. */
const MOST_WRITES = 900;
/** Of all kinds: a broker closes the connection at a thousand. */
const MOST_CALLS = 990;
const MOST_BYTES = 3 * 1_048_576;
const UNUSED = "is no longer used by this process";

/** @returns how a write ends; undefined: it is to be said again, and what was answered until now is kept. */
function endOfWrite(message: WriteAnswered, call: Outstanding): WriteAnswered | undefined {
  const { answer } = message;
  if (answer.is === "refused") {
    const { refusal } = answer;
    if (refusal.reason === "away") return undefined;
    // A broker whose disk refuses may not have looked up whether the one before it accepted this.
    const unsure = refusal.unsure === true || (refusal.reason === "disk" && call.unsure);
    return { ...message, answer: call.answer ?? (unsure ? { ...answer, refusal: { ...refusal, unsure } } : answer) };
  }
  const { moved, ...written } = { ...answer, repeated: call.answer?.repeated ?? answer.repeated };
  if (moved !== true) return { ...message, answer: written };
  call.answer = written;
  return undefined;
}

function endOf(message: Answer, call: Outstanding): Answer | undefined {
  switch (message.type) {
    case "reply":
    case "found":
      return message;
    case "answer":
      return endOfWrite(message, call);
    default:
      return isAnswered(message) ? message : undefined;
  }
}

export class OutstandingCalls {
  readonly #line: Line;
  readonly #ids = randomBytes(6).toString("hex");
  readonly #calls = new Map<string, Outstanding>();
  #made = 0;
  #bytes = 0;
  #closed = false;

  constructor(line: Line) {
    this.#line = line;
  }

  /** Whether a write of so many bytes may be made: calls of other kinds keep some room beside writes. */
  hasRoom(bytes: number): boolean {
    return this.#calls.size < MOST_WRITES && this.#bytes + bytes <= MOST_BYTES;
  }

  /** @param call what is asked, made anew each time it is said. @param bytes what it takes up until it ends. @returns how it ended, never throws. */
  make(call: () => Call, within: Ms, bytes = 0): Promise<Ending> {
    const id = `${this.#ids}-${(this.#made += 1)}`;
    return new Promise((resolve) => {
      const end = (how: Ending): void => {
        clearTimeout(timer);
        if (this.#calls.delete(id)) this.#bytes -= bytes;
        resolve(how);
      };
      const give = (why: string): void =>
        end(one.answer === undefined ? { type: "none", why, unsure: one.unsure || one.said } : { type: "answer", id, answer: one.answer });
      const message = (): FromClient => ({ type: "call", id, ...call() });
      const one: Outstanding = { message, unsure: false, said: false, answer: undefined, end, give };
      const timer = setTimeout(() => give("did not answer in time"), within);
      if (this.#closed) return give(UNUSED);
      if (this.#calls.size >= MOST_CALLS) return give("has too many calls of this worker to answer already");
      this.#calls.set(id, one);
      this.#bytes += bytes;
      if (this.#line.isUp()) this.#say(one);
    });
  }

  /** A broker is there: it is said all of them. */
  sayAll(): void {
    for (const call of this.#calls.values()) this.#say(call);
  }

  /** The broker that they were said to is gone. */
  lost(): void {
    for (const call of this.#calls.values()) {
      call.unsure ||= call.said;
      call.said = false;
    }
  }

  /**
   * A broker that takes no writes now, waits for the sheet no longer, or leaves a question to the ledger open is handing over: the call is
   * said again, to its successor or to itself.
   */
  answered(message: Answer): void {
    const { id } = message;
    const call = this.#calls.get(id);
    if (call === undefined) return;
    const ending = endOf(message, call);
    if (ending !== undefined) return call.end(ending);
    call.said = false;
    setTimeout(() => {
      if (this.#line.isUp() && !call.said && this.#calls.get(id) === call) this.#say(call);
    }, AGAIN);
  }

  /** Nobody waits any longer. */
  close(): void {
    this.#closed = true;
    for (const call of this.#calls.values()) call.give(UNUSED);
  }

  #say(call: Outstanding): void {
    call.said = true;
    this.#line.say(call.message());
  }
}

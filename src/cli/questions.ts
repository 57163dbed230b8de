/** What the operator asks of the broker, by way of the master: who is in, and out with somebody. */
import type { FromChild, Question, SlotsQuestion, ToChild } from "../base/protocol.ts";
import { seconds } from "../base/units.ts";
import type { Master } from "../master/core/model.ts";
import type { ControlAnswer } from "../master/shell/control.ts";

export interface Questions {
  /** Answered within some seconds, if only with why there is no answer. */
  ask(question: Question): Promise<ControlAnswer>;
  told(answer: Extract<FromChild, { type: "told" }>): void;
}

const PATIENCE = seconds(3);
const MOST_OPEN = 64;
const refused = (message: string): ControlAnswer => ({ ok: false, message });

/** @param send to the broker. @returns false when there is none. */
export function createQuestions(send: (message: ToChild) => boolean): Questions {
  const open = new Map<number, (answer: ControlAnswer) => void>();
  let last = 0;
  return {
    ask(question) {
      if (open.size >= MOST_OPEN) return Promise.resolve(refused("the broker has too many questions to answer already"));
      const id = (last += 1);
      return new Promise((resolve) => {
        const timer = setTimeout(() => end(refused(`the broker did not answer within ${PATIENCE / 1_000} s`)), PATIENCE);
        const end = (answer: ControlAnswer): void => {
          clearTimeout(timer);
          open.delete(id);
          resolve(answer);
        };
        open.set(id, end);
        if (!send({ type: "ask", id, question })) end(refused("there is no broker now: nobody logs in, or it is being replaced"));
      });
    },
    told: ({ id, ok, text }) => open.get(id)?.({ ok, message: text }),
  };
}

/** The pid of the broker that workers talk to. */
export function brokerOf({ places }: Master): number | undefined {
  const broker = places.get("broker/0")?.incumbent;
  return broker?.is === "ready" ? broker.pid : undefined;
}

const LONGEST_WHO = 300;

/** @returns what a request to the control socket asks; undefined: nothing that there is. */
export function readQuestion({ do: verb = "list", who, zombies }: Readonly<Record<string, unknown>>): SlotsQuestion | undefined {
  if (zombies !== undefined) return zombies === true && verb === "list" && who === undefined ? { do: verb, zombies } : undefined;
  if (verb === "list" || verb === "reap" || verb === "reset-day") return who === undefined ? { do: verb } : undefined;
  return verb === "end" && typeof who === "string" && who !== "" && who.length <= LONGEST_WHO ? { do: "end", who } : undefined;
}

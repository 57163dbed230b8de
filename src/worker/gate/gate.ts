import type { Exchange } from "../exchange.ts";
import type { Stage, Verdict } from "./stage.ts";

/** The order in which stages judge, whatever order they were given in: cheap and general before costly and particular. */
const ORDER = [
  "address",
  "rate",
  "body",
  "class",
  "slots",
  "pipeline",
  "queue",
  "turn",
  "unread",
] as const satisfies readonly Stage["name"][];

/** Of them, those that give a place. */
const PLACES: readonly Stage["name"][] = ["queue", "turn"];

export interface Gate {
  /** True when some stage judges prepared answers too. */
  readonly judgesEverything: boolean;
  /** The stages for every request. */
  everything(exchange: Exchange): Verdict;
  /** The stages for requests that the application must work on. */
  application(exchange: Exchange): Verdict;
  /** A place again, for a request that had none while its body arrived. */
  again(exchange: Exchange): Verdict;
}

/** @throws nothing; two stages of one name both judge, in the order given. */
export function createGate(stages: readonly Stage[]): Gate {
  const ordered = stages.toSorted((a, b) => ORDER.indexOf(a.name) - ORDER.indexOf(b.name));
  const everything = ordered.filter((stage) => stage.covers === "everything");
  const application = ordered.filter((stage) => stage.covers === "application");
  const places = application.filter(({ name }) => PLACES.includes(name));
  return {
    judgesEverything: everything.length > 0,
    everything: (exchange) => through(everything, 0, exchange),
    application: (exchange) => through(application, 0, exchange),
    again: (exchange) => through(places, 0, exchange),
  };
}

/** Asks one stage after the other, without a promise as long as none needs one. */
function through(stages: readonly Stage[], from: number, exchange: Exchange): Verdict {
  for (let nr = from; nr < stages.length; nr += 1) {
    const verdict = (stages[nr] as Stage).admit(exchange);
    if (verdict instanceof Promise) return verdict.then((refusal) => refusal ?? through(stages, nr + 1, exchange));
    if (verdict !== undefined) return verdict;
  }
  return undefined;
}

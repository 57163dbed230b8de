/** What a drill showed, step by step: as lines for people while it goes on, as JSON for programs at its end. */
import { printable } from "../terminal/printable.ts";

export interface StepReport {
  readonly ok: boolean;
  /** What was seen, in plain words. */
  readonly text: string;
}

export interface DrillReport {
  readonly name: string;
  /** `left out`: this service has nothing of the kind, which `text` of the only step says. */
  readonly verdict: "pass" | "fail" | "left out";
  readonly tookMs: number;
  readonly steps: readonly StepReport[];
}

/** Ends a drill: what follows would show nothing. The steps so far say why. */
export class DrillOver extends Error {
  /** A step says it already. */
  readonly isSaid: boolean;
  constructor(message: string, isSaid = false) {
    super(message);
    this.isSaid = isSaid;
  }
}
/** The drill makes no sense for this service. */
export class LeftOut extends Error {}

export class Reporter {
  readonly #print: (line: string) => void;
  #steps: StepReport[] = [];

  /** @param print a line for people. */
  constructor(print: (line: string) => void) {
    this.#print = print;
  }

  begin(name: string, shows: string): void {
    this.#steps = [];
    this.#print(`drill ${name}: ${shows}`);
  }

  /** What is done next, for who watches. */
  say(text: string): void {
    this.#print(`        ${printable(text)}`);
  }

  /** @returns `ok`. */
  step(ok: boolean, text: string): boolean {
    const step = { ok, text: printable(text) };
    this.#steps.push(step);
    this.#print(`  ${ok ? "ok  " : "FAIL"}  ${step.text}`);
    return ok;
  }

  /** A step without which the rest shows nothing. @throws DrillOver. */
  must(ok: boolean, text: string): void {
    if (!this.step(ok, text)) throw new DrillOver(text, true);
  }

  end(name: string, tookMs: number, leftOut: boolean): DrillReport {
    const steps = this.#steps;
    const verdict = leftOut ? "left out" : steps.length > 0 && steps.every(({ ok }) => ok) ? "pass" : "fail";
    this.#print(`  ${verdict}${verdict === "left out" ? "" : `, ${(tookMs / 1_000).toFixed(1)} s`}\n`);
    return { name, verdict, tookMs: Math.round(tookMs), steps };
  }
}
